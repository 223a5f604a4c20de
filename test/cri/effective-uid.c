/* What the image `nonewprivs` runs, with the set-user-ID bit and root for an owner: says as whom. */
#include <stdio.h>
#include <unistd.h>

int main(void) { return printf("Effective uid: %d\n", (int)geteuid()) < 0; }
