#ifndef RELOAD_LINK_ID_H
#define RELOAD_LINK_ID_H

#include <stdint.h>

/* Names one overlay link between the core and its host. Chosen by the host, never reused while a
 * node lives; 0 means no link. */
typedef uint32_t reload_link_id;

#endif
