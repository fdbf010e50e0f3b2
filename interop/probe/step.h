#ifndef INTEROP_PROBE_STEP_H
#define INTEROP_PROBE_STEP_H

/* The steps of a case. A FIELD is one of those of interop/probe/cases/base.probe, a TEMPLATE or
 * PATTERN what interop/probe/template.h says.
 *
 *     actor NAME KIND          a node of its own certificate: fresh, expired, brief, elsewhere,
 *                              several, untrusted, self_made, rsa, near, owned (enum
 * probe_kind_of_actor) actor NAME at TEMPLATE   the same with this Node-ID as NAME speaks as that
 * node from now on define NAME TEMPLATE     for this case let NAME TEMPLATE        the same, read
 * once and now send METHOD ; FIELD=TEMPLATE ; ...    a message in a data frame make METHOD ; ...
 * makes it without sending again                    sends what was made or sent last once more
 *     piece OFFSET LENGTH [last]    a fragment of what was made: that part of its payload
 *     raw TEMPLATE             these bytes in a data frame
 *     bytes TEMPLATE           these bytes down the TLS stream, or in a DTLS record
 *     listen / dial / hang_up / accepted    links; "accepted" waits until the peer has dialled
 *     shut_out                 the peer refuses a link of this node
 *     pause MILLISECONDS
 *     deaf MILLISECONDS        the same, and takes nothing in, so that nothing is acknowledged
 *
 *     ok PATTERN               the answer of success, with this body
 *     error CODE PATTERN       an error answer, with this error_info (none given: any)
 *     answered                 an answer of success or an error
 *     refused                  no answer of success: an error or silence
 *     silent                   no answer, and the link goes on
 *     closed                   the peer closes the link
 *     alive                    a Ping is answered, perhaps on a new link
 *     check FIELD PATTERN      of the answer, or of what was awaited
 *     await METHOD PATTERN     the peer sends this request, with this body
 *     earlier METHOD PATTERN   it had sent this request before what was awaited last
 *     none METHOD              the peer has not sent such a request
 *     ack PATTERN              the next ack frame: ack_sequence and received
 *     frames N                 so many data frames came or more, numbered from 0
 *     same / differ / less TEMPLATE ; TEMPLATE    compares two
 */

#endif
