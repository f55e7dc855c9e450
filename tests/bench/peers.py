# SPDX-License-Identifier: Apache-2.0
"""peers.py – the servers that are compared, set up as a careful admin would.

All log every request in the combined format, gathered before it is written: nginx and lighttpd as
their files in peers/ say, luttpd by its logger, once a second. h2o cannot gather. The null server
writes no log, and is only a floor.
"""
import os
import pathlib
import subprocess

from server import Server, free_port

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / os.environ.get("LUTTPD_BUILD", "build/release")
FILE_CACHE = """tcp_nodelay on;
    open_file_cache max=10000 inactive=60s;
    open_file_cache_valid 30s;
    open_file_cache_min_uses 1;
    open_file_cache_errors on;"""
NGINX_VHOST = "server { listen 127.0.0.1:%d; server_name v%d.test; root %s; }"
LUTTPD_HELLO = """files "/" { dir = "." }
get "/hello" (function(req, res)
  res:text("hello " .. (req.query.name or ""))
end)
post "/sink" (function(req, res)
  local bytes = 0
  for chunk in req:body() do bytes = bytes + #chunk end
  res:text(tostring(bytes))
end)
"""
CONTENT = {"1k.bin": 1024, "10m.bin": 10 * 1024 * 1024}


def content(stage, vhosts=0):
    """The files that all serve: in www, and one of 1 KiB in v/1, v/2 ... Returns the root of www."""
    www = stage.directory / "www"
    if not www.exists():
        www.mkdir()
        for name, size in CONTENT.items():
            (www / name).write_bytes(os.urandom(size))
        (www / "vhost.lua").write_text(LUTTPD_HELLO)
    for i in range(1, vhosts + 1):
        folder = stage.directory / "v" / str(i)
        if not folder.exists():
            folder.mkdir(parents=True)
            (folder / "1k.bin").write_bytes((www / "1k.bin").read_bytes())
            (folder / "vhost.lua").write_text(LUTTPD_HELLO)
    return www


def render(name, directory, **values):
    """Writes a configuration of peers/ with @WORD@ replaced. Returns its path."""
    text = (HERE / "peers" / name).read_text()
    for key, value in {"DIR": directory, **values}.items():
        text = text.replace(f"@{key}@", str(value))
    path = directory / name
    path.write_text(text)
    return path


def luttpd(stage, vhosts=0, limits="", routing=""):
    """The real command. One vhost that answers for every host, and v1.test ..., each its own user. limits: of the
    listener, as Lua text; routing: a routing policy, likewise."""
    www, directory = content(stage, vhosts), stage.folder("luttpd")
    sites = [f'vhost "main" {{ root = "{www}", user = "auto", default = true }}'] if not vhosts else []
    sites += [f'vhost "v{i}" {{ root = "{stage.directory}/v/{i}", user = "auto", hosts = {{ "v{i}.test" }} }}'
              for i in range(1, vhosts + 1)]
    listen = f'listen {{ "127.0.0.1:0", limits = {{ {limits} }} }}' if limits else 'listen "127.0.0.1:0"'
    lines = [listen, f'logs {{ dir = "{directory}/logs", format = "combined" }}', *sites]
    if routing:
        (directory / "routing.lua").write_text(routing)
        lines.append('routing "routing.lua"')
    (directory / "server.lua").write_text("\n".join(lines) + "\n")
    command = [BUILD / "bin" / "luttpd", "run", "-c", directory / "server.lua", "-s", directory / "state"]
    return Server("luttpd", command, directory, logs=directory / "logs")


def nginx(stage, cached=False, vhosts=0):
    """Stock, or with open_file_cache."""
    www, port = content(stage, vhosts), free_port()
    directory = stage.folder("nginx-cached" if cached else "nginx")
    names = "\n".join(NGINX_VHOST % (port, i, stage.directory / "v" / str(i)) for i in range(1, vhosts + 1))
    path = render("nginx.conf", directory, PORT=port, ROOT=www, HELLO=HERE / "peers" / "hello.lua", VHOSTS=names,
                  CACHE=FILE_CACHE if cached else "", EVENTS="multi_accept on;" if cached else "")
    command = ["nginx", "-c", path, "-e", directory / "error.log", "-g", "daemon off;"]
    return Server(directory.name, command, directory, port, directory)


def h2o(stage, log=True):
    directory, port = stage.folder("h2o" if log else "h2o-silent"), free_port()
    access = f"access-log: {directory}/access.log" if log else ""
    subprocess.run(["chown", "www-data", directory], check=True)
    path = render("h2o.conf", directory, PORT=port, ROOT=content(stage), LOG=access)
    return Server(directory.name, ["h2o", "-m", "worker", "-c", path], directory, port, directory if log else None,
                  "log not gathered" if log else "no log")


def lighttpd(stage):
    directory, port = stage.folder("lighttpd"), free_port()
    path = render("lighttpd.conf", directory, PORT=port, ROOT=content(stage))
    (directory / "access.log").touch()
    for owned in (directory, directory / "access.log"):
        subprocess.run(["chown", "www-data", owned], check=True)
    return Server("lighttpd", ["lighttpd", "-D", "-f", path], directory, port, directory)


def null(stage, *words):
    """The floor: words as in the head of peers/null.c."""
    directory, port = stage.folder("null"), free_port()
    program = directory / "null"
    source = HERE / "peers" / "null.c"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o", program, source], check=True)
    return Server("null", [program, str(port), *map(str, words)], directory, port, None, "no log")
