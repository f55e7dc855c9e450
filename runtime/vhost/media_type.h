/* SPDX-License-Identifier: Apache-2.0 */
/* media_type.h – what kind of content a file's name promises.
 * Runs in: vhost. The table is part of the binary: read-only pages that all vhosts share, where
 * parsing /etc/mime.types would cost each of them memory and a file outside its cage. */
#ifndef LUTTPD_VHOST_MEDIA_TYPE_H
#define LUTTPD_VHOST_MEDIA_TYPE_H

#include "base/slice.h"

/** The value for content-type, from what follows the last dot of the path's last segment;
 * application/octet-stream where that is unknown. Text is declared UTF-8. The result lives as
 * long as the program. */
struct slice media_type_of(struct slice path);

#endif
