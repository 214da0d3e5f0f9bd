/*
 * A sender of messages that stalls: what the `log` sender writes to standard
 * error waits before it is written, for as long as there is a file of the name
 * in SENDER_SHIM_FILE.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char of_the_sender[] = "countersign::delivery";

ssize_t write(int file, const void *bytes, size_t length)
{
	static ssize_t (*real_write)(int, const void *, size_t);
	const char *stalls = getenv("SENDER_SHIM_FILE");
	if (real_write == NULL)
		real_write = dlsym(RTLD_NEXT, "write");
	if (file == STDERR_FILENO && stalls != NULL
	    && memmem(bytes, length, of_the_sender, sizeof of_the_sender - 1) != NULL)
		while (access(stalls, F_OK) == 0)
			usleep(1000);
	return real_write(file, bytes, length);
}
