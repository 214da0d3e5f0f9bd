/*
 * A server that stands still at a step of a change: before a statement reaches its
 * database, before the commit does, or when the commit is done. The file named by
 * FAILPOINT_FILE says which, a line each: the step, a text by which the statement is
 * known, and one by which the commit is, or an empty line if what is sent next on the
 * connection commits. Another file, its name and ".reached", tells that it stands.
 *
 * SQLite has no connection: what is written to its log stands for both, and the sync
 * of the log for the commit.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum progress { NOTHING, STATEMENT_SENT, COMMIT_SENT };

#define DESCRIPTORS 1024
static volatile enum progress progress[DESCRIPTORS];
static volatile off64_t last_written_at;

struct failpoint {
	char step[16], statement[64], commit[16];
};

static int read_failpoint(struct failpoint *failpoint)
{
	const char *path = getenv("FAILPOINT_FILE");
	FILE *file = path == NULL ? NULL : fopen(path, "r");
	int lines;
	if (file == NULL)
		return 0;
	memset(failpoint, 0, sizeof *failpoint);
	lines = fscanf(file, "%15[^\n]\n%63[^\n]\n%15[^\n]",
		       failpoint->step, failpoint->statement, failpoint->commit);
	fclose(file);
	return lines >= 2;
}

static void stand_still(void)
{
	char reached[4096];
	snprintf(reached, sizeof reached, "%s.reached", getenv("FAILPOINT_FILE"));
	close(open(reached, O_CREAT | O_WRONLY, 0600));
	for (;;)
		pause();
}

static int is_step(const struct failpoint *failpoint, const char *step)
{
	return strcmp(failpoint->step, step) == 0;
}

static int has(const void *bytes, size_t length, const char *text)
{
	return memmem(bytes, length, text, strlen(text)) != NULL;
}

static int is_log_of_sqlite(int file)
{
	char link[64], path[4096];
	ssize_t length;
	snprintf(link, sizeof link, "/proc/self/fd/%d", file);
	length = readlink(link, path, sizeof path);
	return length > 4 && memcmp(path + length - 4, "-wal", 4) == 0;
}

ssize_t send(int socket, const void *bytes, size_t length, int flags)
{
	static ssize_t (*real)(int, const void *, size_t, int);
	struct failpoint failpoint;
	if (real == NULL)
		real = dlsym(RTLD_NEXT, "send");
	if (socket < DESCRIPTORS && read_failpoint(&failpoint)) {
		if (progress[socket] == STATEMENT_SENT
		    && has(bytes, length, failpoint.commit)) {
			if (is_step(&failpoint, "commit"))
				stand_still();
			progress[socket] = COMMIT_SENT;
		} else if (has(bytes, length, failpoint.statement)) {
			if (is_step(&failpoint, "statement"))
				stand_still();
			progress[socket] = STATEMENT_SENT;
		}
	}
	return real(socket, bytes, length, flags);
}

ssize_t recv(int socket, void *bytes, size_t length, int flags)
{
	static ssize_t (*real)(int, void *, size_t, int);
	struct failpoint failpoint;
	ssize_t received;
	if (real == NULL)
		real = dlsym(RTLD_NEXT, "recv");
	received = real(socket, bytes, length, flags);
	if (received > 0 && socket < DESCRIPTORS && progress[socket] == COMMIT_SENT
	    && read_failpoint(&failpoint) && is_step(&failpoint, "committed"))
		stand_still();
	return received;
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at)
{
	static ssize_t (*real)(int, const void *, size_t, off64_t);
	struct failpoint failpoint;
	if (real == NULL)
		real = dlsym(RTLD_NEXT, "pwrite64");
	if (read_failpoint(&failpoint) && !is_step(&failpoint, "committed")
	    && is_log_of_sqlite(file))
		stand_still();
	if (is_log_of_sqlite(file))
		last_written_at = at;
	return real(file, bytes, length, at);
}

int fsync(int file)
{
	static int (*real)(int);
	struct failpoint failpoint;
	int outcome;
	if (real == NULL)
		real = dlsym(RTLD_NEXT, "fsync");
	outcome = real(file);
	/* The head of the log, at 0, is synced before anything is committed. */
	if (read_failpoint(&failpoint) && is_step(&failpoint, "committed")
	    && is_log_of_sqlite(file) && last_written_at > 0)
		stand_still();
	return outcome;
}
