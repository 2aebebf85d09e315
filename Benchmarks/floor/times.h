// Samples of a time, and their percentiles.
#ifndef TIMES_H
#define TIMES_H

#include <stddef.h>
#include <stdint.h>

struct times {
    int64_t *values;
    size_t count;
    size_t room;
};

// Allocates room, and touches it, so that no page fault comes later.
void make_times(struct times *times, size_t room);

// Adds a time in nanoseconds, while there is room.
void add_time(struct times *times, int64_t value);

// The time of packet `number` from the first one, in nanoseconds, at `rate` packets a second.
int64_t due(long rate, uint64_t number);

// Prints `,"NAME":{...}` with percentiles in nanoseconds, unless there are no samples. Sorts the samples.
void print_times(const char *name, struct times *times);

#endif
