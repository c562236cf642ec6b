/*
 * What a machine says of itself, changed without touching this one: loaded into every program of a process tree
 * (ld.so.preload), it adds what a file says to what the kernel says of the time, and names another boot. The file is
 * mapped, so that all programs see a step of the clock at the same moment:
 *
 *   int64 nanoseconds for the wall clock, int64 nanoseconds for the clocks that count from the boot
 *
 * Its path is in CHAOS_CLOCK, or is /etc/chaos-clock. The boot's id is in /etc/chaos-boot-id, where there is one. (A file
 * mounted over the one in /proc would keep sandboxes from mounting a /proc of their own.)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offsets;

__attribute__((constructor)) static void map_offsets(void) {
	const char *path = getenv("CHAOS_CLOCK");
	int fd = open(path ? path : "/etc/chaos-clock", O_RDONLY | O_CLOEXEC);
	if (fd < 0) return;
	void *at = mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (at != MAP_FAILED) offsets = at;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
	int failed = (int)syscall(SYS_clock_gettime, clock, out);
	if (failed != 0 || offsets == NULL) return failed;
	int64_t by = 0;
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) by = offsets[0];
	else if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_BOOTTIME) by = offsets[1];
	if (by == 0) return 0;
	int64_t nanoseconds = out->tv_nsec + by % 1000000000;
	out->tv_sec += by / 1000000000;
	if (nanoseconds < 0) { nanoseconds += 1000000000; out->tv_sec -= 1; }
	if (nanoseconds >= 1000000000) { nanoseconds -= 1000000000; out->tv_sec += 1; }
	out->tv_nsec = nanoseconds;
	return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
	struct timespec now;
	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL) *out = now.tv_sec;
	return now.tv_sec;
}

static int open_file(const char *path, int flags, mode_t mode) {
	if (strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) {
		int fd = (int)syscall(SYS_openat, AT_FDCWD, "/etc/chaos-boot-id", flags, mode);
		if (fd >= 0) return fd;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static mode_t mode_of(int flags, va_list rest) {
	return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? (mode_t)va_arg(rest, int) : 0;
}

int open(const char *path, int flags, ...) {
	va_list rest;
	va_start(rest, flags);
	mode_t mode = mode_of(flags, rest);
	va_end(rest);
	return open_file(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
	va_list rest;
	va_start(rest, flags);
	mode_t mode = mode_of(flags, rest);
	va_end(rest);
	return open_file(path, flags | O_LARGEFILE, mode);
}
