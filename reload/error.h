#ifndef RELOAD_ERROR_H
#define RELOAD_ERROR_H

/* Local errors: what a function of this library answers. 0 is success, every failure is negative.
 * They are not the error codes of RFC 6940 s6.3.3.1, which travel between nodes
 * (enum reload_error_code in reload/wire/error.h). */

#define RELOAD_MUST_USE __attribute__((warn_unused_result))

enum reload_error {
    RELOAD_OK = 0,
    RELOAD_E_DECODE = -1,       /* bytes do not follow the RFC's grammar */
    RELOAD_E_NOSPACE = -2,      /* the output buffer, or a length field, is too small */
    RELOAD_E_NOMEM = -3,        /* no memory */
    RELOAD_E_INVALID = -4,      /* an argument, or a well-formed document, breaks a stated rule */
    RELOAD_E_STATE = -5,        /* not possible in the present state */
    RELOAD_E_LIMIT = -6,        /* a named cap is reached */
    RELOAD_E_NOT_FOUND = -7,    /* no such thing */
    RELOAD_E_SIGNATURE = -8,    /* a signature does not verify */
    RELOAD_E_CERTIFICATE = -9,  /* no certificate for this signer, or an unacceptable one */
    RELOAD_E_FORBIDDEN = -10,   /* verified, but not allowed */
    RELOAD_E_EXPIRED = -11,     /* a certificate, document or value is past its time */
    RELOAD_E_UNSUPPORTED = -12, /* correct, but something this code does not know is required */
    RELOAD_E_TOO_OLD = -13,     /* older than what is already held */
    RELOAD_E_TIMEOUT = -14,     /* no answer in time */
    RELOAD_E_CLOSED = -15,      /* the far end closed, or the link is gone */
    RELOAD_E_IO = -16,          /* the operating system refused; errno tells */
};

/* A short English phrase for an error; never NULL. The string is static. */
const char *reload_error_text(int error);

#endif
