-- SPDX-License-Identifier: Apache-2.0
-- template.lua: the first page, with {{names}} for what page.lua fills in.

return [[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>luttpd: it works</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
<script src="/page.js" defer></script>
</head>
<body data-second="{{second}}">
<header>
<p class="brand">luttpd</p>
<h1>It works. Here is who answered you.</h1>
<p class="lead">This page was written by <strong>process <span data-pid="{{site}}">{{pid}}</span></strong>, which runs
as <strong>user {{uid}}</strong>, a user that nobody else is. It can open the files of this site and nothing else:
no other site's, no socket, no program. Around it stand {{others}} other kinds of process, each kept from what the
others hold.</p>
</header>
<main>
<section aria-labelledby="tree">
<h2 id="tree">The processes</h2>
<figure>
<div class="scroll" tabindex="0" role="region" aria-label="Drawing of the processes, scrolls sideways">{{drawing}}</div>
<figcaption>Lines from above: who starts whom. Arcs below: who exchanges messages with whom; there is no other way
from one process to another. The dashed arc carried this page. No arc joins the two sites.</figcaption>
</figure>
</section>

<section aria-labelledby="two">
<h2 id="two">Two sites, two users</h2>
<p>Both sites share one address, one port and the processes in front of them. What they run, open, remember and log
they share with nobody.</p>
<div class="pair">
<article class="card site-first"><h3>{{site}}</h3>
<dl><dt>process</dt><dd data-pid="{{site}}">{{pid}}</dd><dt>user</dt><dd>{{uid}}</dd><dt>group</dt><dd>{{gid}}</dd></dl>
<p><a href="/whoami">/whoami</a></p></article>
<article class="card site-second" aria-live="polite"><h3>second</h3>
<dl id="second" hidden><dt>process</dt><dd data-fact="pid"></dd><dt>user</dt><dd data-fact="uid"></dd>
<dt>group</dt><dd data-fact="gid"></dd></dl>
<p id="second-state">Ask it yourself:</p>
<p><a href="{{second}}/">{{second}}/</a></p></article>
</div>
<div class="actions" hidden>
<p><button type="button" id="again">Ask both again</button>
<button type="button" id="loop">Let the second one loop for ever</button></p>
<p id="outcome" role="status"></p>
</div>
</section>

<section aria-labelledby="roles">
<h2 id="roles">What each one does, and may not</h2>
<p>This is what <code>runtime/schema/processes.lua</code> declares. The same file is what the kernel's rules for
each process are compiled from.</p>
<div class="roles">
{{roles}}
</div>
</section>

<section aria-labelledby="try">
<h2 id="try">Try this</h2>
<ol class="try">
<li><p>Ask both sites who they are.</p>
<pre><code>curl {{first}}/whoami
curl -H 'Host: {{second_host}}' {{first}}/whoami</code></pre></li>
<li><p>Call a handler written in Lua; stream something into another.</p>
<pre><code>curl {{first}}/hello/world
head -c 100M /dev/zero | curl -T - -X POST {{first}}/count</code></pre></li>
<li><p>Look at the tree with your own eyes, then shoot this site. Ask again: another process answers.</p>
<pre><code>ps -eo pid,ppid,uid,args | grep '[l]uttpd:'
kill -9 <span data-pid="{{site}}">{{pid}}</span></code></pre></li>
<li><p>Change a line of <code>vhosts/first/vhost.lua</code>, stop <code>make run</code> with Ctrl-C, start it again.
Then make a mistake in <code>vhosts/second/vhost.lua</code>: the second site answers 500 and says why in its
own error log, and this one does not notice.</p>
<pre><code>cat build/logs/second/error.log</code></pre></li>
<li><p>Make a mistake in <code>vhosts/server.lua</code> and have it explained.</p>
<pre><code>build/release/bin/luttpd check -c vhosts/server.lua -s build/state</code></pre></li>
</ol>
</section>
</main>
<footer><p><code>README.md</code> says what works so far, <code>SECURITY.md</code> who trusts whom with what,
<code>HACKING.md</code> how to add to it.</p></footer>
</body>
</html>
]]
