#include "times.h"

#include "packet-socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void make_times(struct times *times, size_t room) {
    times->values = malloc(room * sizeof *times->values + 1);
    if (!times->values) fail("allocate");
    memset(times->values, 1, room * sizeof *times->values + 1);
    times->room = room;
    times->count = 0;
}

void add_time(struct times *times, int64_t value) {
    if (times->count < times->room) times->values[times->count++] = value;
}

int64_t due(long rate, uint64_t number) {
    uint64_t per_second = (uint64_t)rate;
    return (int64_t)(number / per_second) * second + (int64_t)(number % per_second) * second / rate;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void print_times(const char *name, struct times *times) {
    const int64_t *values = times->values;
    size_t count = times->count;
    if (count == 0) return;
    qsort(times->values, count, sizeof *times->values, ascending);
    printf(",\"%s\":{\"p50\":%ld,\"p99\":%ld,\"p999\":%ld,\"max\":%ld}", name, values[count / 2],
           values[count * 99 / 100], values[count * 999 / 1000], values[count - 1]);
}
