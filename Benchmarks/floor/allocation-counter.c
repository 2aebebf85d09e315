// Counts the heap allocations of the process it is preloaded into, by the name of the thread that made them:
//
//     cc -O2 -Wall -Wextra -Werror -shared -fPIC -o allocation-counter.so allocation-counter.c -ldl -pthread
//     PROBE_ALLOCATION_FILE=counts LD_PRELOAD=$PWD/allocation-counter.so COMMAND
//
// When the process exits, one line for each thread name is written to that file, or to standard error:
//
//     NAME ALLOCATIONS BYTES
//
// A thread counts under its last name, together with other threads of that name; a thread that named itself is listed
// even if it allocated nothing. Spaces in names become '_'. Memory from mmap(2) and brk(2) is not counted; a process
// that ends by a signal or by _exit(2) writes nothing.
//
// The cost of one packet is the difference between two runs of different length, which both include the cost of
// starting and ending. For glibc, whose __libc_* names call its allocator without a symbol lookup that might itself
// allocate.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NAME_BYTES 16
#define MAX_THREADS 256

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// A thread's counts. They stay after the thread has ended.
struct slot {
    atomic_ulong allocations;
    atomic_ulong bytes;
    pthread_t thread;
    char name[NAME_BYTES];
    atomic_bool taken;
    atomic_bool lives; // then `thread` is its handle
};

// The last slot is shared by the threads that start after the table is full.
static struct slot slots[MAX_THREADS];
static atomic_uint taken;
static pid_t counted_process;
static pthread_key_t end_of_thread;

// Initial-exec: the first access to a variable of the general model may allocate.
static __thread struct slot *own __attribute__((tls_model("initial-exec")));

static struct slot *own_slot(void) {
    if (own) return own;
    unsigned int index = atomic_fetch_add(&taken, 1);
    if (index >= MAX_THREADS - 1) return own = &slots[MAX_THREADS - 1];
    own = &slots[index];
    own->thread = pthread_self();
    // The thread's current name, or that of the thread that started it.
    prctl(PR_GET_NAME, own->name);
    atomic_store(&own->taken, true);
    atomic_store(&own->lives, true);
    // Does not allocate for the first 32 keys, and this is an early one. Before it exists there is one thread.
    if (counted_process != 0) pthread_setspecific(end_of_thread, own);
    return own;
}

static void count(size_t bytes) {
    struct slot *slot = own_slot();
    atomic_fetch_add_explicit(&slot->allocations, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&slot->bytes, bytes, memory_order_relaxed);
}

void *malloc(size_t size) {
    count(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count(size);
    return __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t number, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(number, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, bytes);
}

void *memalign(size_t alignment, size_t size) {
    count(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    int before = errno;
    void *memory = memalign(alignment, size);
    errno = before; // it reports errors only by its result
    if (!memory) return ENOMEM;
    *out = memory;
    return 0;
}

int pthread_setname_np(pthread_t thread, const char *name) {
    static int (*_Atomic next)(pthread_t, const char *);
    int (*set)(pthread_t, const char *) = atomic_load(&next);
    if (!set) {
        *(void **)&set = dlsym(RTLD_NEXT, "pthread_setname_np");
        if (!set) return ENOSYS;
        atomic_store(&next, set);
    }
    int result = set(thread, name);
    if (result != 0) return result;
    // Another thread without a slot reads its name when it gets one.
    if (pthread_equal(thread, pthread_self())) own_slot();
    unsigned int end = atomic_load(&taken);
    if (end > MAX_THREADS - 1) end = MAX_THREADS - 1;
    for (unsigned int index = 0; index < end; index++) {
        if (!atomic_load(&slots[index].lives) || !pthread_equal(slots[index].thread, thread)) continue;
        strncpy(slots[index].name, name, NAME_BYTES - 1);
        break;
    }
    return 0;
}

static void write_line(int file, const char *name, unsigned long allocations, unsigned long bytes) {
    char line[NAME_BYTES + 64];
    int length = snprintf(line, sizeof line, "%s %lu %lu\n", name[0] ? name : "-", allocations, bytes);
    for (char *end = line + strlen(name), *at = line; at < end; at++) {
        if (*at == ' ' || *at == '\n') *at = '_';
    }
    if (write(file, line, (size_t)length) < 0) return;
}

// Handles are reused: from here on this one may be another thread's.
static void forget_handle(void *slot) { atomic_store(&((struct slot *)slot)->lives, false); }

__attribute__((constructor)) static void begin(void) {
    if (pthread_key_create(&end_of_thread, forget_handle) == 0) counted_process = getpid();
}

__attribute__((destructor)) static void report(void) {
    // A forked child that ends without exec would report its parent's counts.
    if (getpid() != counted_process) return;
    const char *path = getenv("PROBE_ALLOCATION_FILE");
    int file = path && *path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : STDERR_FILENO;
    if (file < 0) {
        fprintf(stderr, "allocation-counter: %s: %s\n", path, strerror(errno));
        return;
    }
    static bool reported[MAX_THREADS];
    strcpy(slots[MAX_THREADS - 1].name, "(further)");
    for (unsigned int index = 0; index < MAX_THREADS; index++) {
        if (reported[index]) continue;
        unsigned long allocations = 0, bytes = 0;
        for (unsigned int other = index; other < MAX_THREADS; other++) {
            if (reported[other] || strncmp(slots[other].name, slots[index].name, NAME_BYTES) != 0) continue;
            allocations += atomic_load(&slots[other].allocations);
            bytes += atomic_load(&slots[other].bytes);
            reported[other] = true;
        }
        if (allocations == 0 && !atomic_load(&slots[index].taken)) continue;
        write_line(file, slots[index].name, allocations, bytes);
    }
    if (file != STDERR_FILENO) close(file);
}
