"""At which count a quota is said to be full. Pure.

*Claim.* Whoever sees when a quota became full, and has sent or watched others send any number of responses, knows the count of those who
meet it to within five at best.

*Argument.* The count at which it is said is the limit plus a number from -2 to 2, drawn by a keyed hash (BLAKE2b, RFC 7693) of survey, rule
and limit: nobody without the key can tell it from chance, and asking again gives the same, so it cannot be averaged away. It is judged
each time the survey grew by the batch of its policy, so that it does not follow a single response, and said once: a quota that was full
stays full, whoever leaves. So it never tells of a withdrawal.

*Does not protect* against somebody who fills a quota up with invented responses right before a person whom they watch, and then adds more
until it is said: with luck they guess whether that person meets the rule. So a rule may only ask what is no secret (`proto.quotas`), and no
limit is below ten.
"""

from __future__ import annotations

import hashlib

from proto import quotas
from proto.instrument import Quota

BLUR = 2


def threshold(secret: bytes, survey: str, quota: Quota) -> int:
    """The count from which on the quota is full."""
    name = f"{survey} {quotas.column(quota)} {quota.limit}".encode()
    drawn = hashlib.blake2b(name, key=secret, digest_size=8, person=b"platea quota").digest()
    return quota.limit - BLUR + int.from_bytes(drawn) % (2 * BLUR + 1)
