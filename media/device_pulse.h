#ifndef RELOAD_MEDIA_DEVICE_PULSE_H
#define RELOAD_MEDIA_DEVICE_PULSE_H

/* The sound server's sources and sinks, one line each: "source NAME  DESCRIPTION". RELOAD_E_IO when
 * no server answers, RELOAD_E_NOMEM. */
int reload_media_pulse_list(void (*each)(void *context, const char *line), void *context);

#endif
