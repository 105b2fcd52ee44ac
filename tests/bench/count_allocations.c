/* Counts allocations by who asked for them: LD_PRELOAD this, with COUNT_ALLOCATIONS=FILE; at its end the process writes
 * there, as JSON, how many each of its modules made.
 *
 * libssl and libcrypto allocate through CRYPTO_malloc(), which stands here too, so that each counts for itself. What
 * glibc allocates for its caller, as asprintf() does, counts for libc, but for strdup()'s. Only for processes of one
 * thread: the counts are not atomic. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SITES 8192 /* a power of two */
#define MODULES 64

/* What glibc's own functions are called besides. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *CRYPTO_malloc(size_t size, const char *file, int line);
void *CRYPTO_zalloc(size_t size, const char *file, int line);
void *CRYPTO_realloc(void *old, size_t size, const char *file, int line);

typedef void *crypto_malloc(size_t, const char *, int);
typedef void *crypto_realloc(void *, size_t, const char *, int);

static struct {
    struct {
        const void *caller;
        uint64_t count;
    } sites[SITES];
    uint64_t lost;
    unsigned within; /* a function that counts already */
    crypto_malloc *malloc, *zalloc;
    crypto_realloc *realloc;
} state;

static void count(const void *caller) {
    if (state.within > 0)
        return;
    size_t at = ((uintptr_t)caller * 11400714819323198485U) >> 51;
    for (size_t tries = 0; tries < SITES; tries++, at = (at + 1) & (SITES - 1)) {
        if (!state.sites[at].caller)
            state.sites[at].caller = caller;
        if (state.sites[at].caller == caller) {
            state.sites[at].count++;
            return;
        }
    }
    state.lost++;
}

void *malloc(size_t size) {
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    count(__builtin_return_address(0));
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size) {
    count(__builtin_return_address(0));
    return __libc_realloc(old, size);
}

char *strdup(const char *text) {
    count(__builtin_return_address(0));
    size_t size = strlen(text) + 1;
    char *copy = __libc_malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

/* An object pointer from dlsym() holds a function's address. */
static void find(const char *name, void *ret_function) {
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(ret_function, &found, sizeof found);
    if (!found)
        _exit(70);
}

void *CRYPTO_malloc(size_t size, const char *file, int line) {
    count(__builtin_return_address(0));
    state.within++;
    if (!state.malloc)
        find("CRYPTO_malloc", &state.malloc);
    void *block = state.malloc(size, file, line);
    state.within--;
    return block;
}

void *CRYPTO_zalloc(size_t size, const char *file, int line) {
    count(__builtin_return_address(0));
    state.within++;
    if (!state.zalloc)
        find("CRYPTO_zalloc", &state.zalloc);
    void *block = state.zalloc(size, file, line);
    state.within--;
    return block;
}

void *CRYPTO_realloc(void *old, size_t size, const char *file, int line) {
    count(__builtin_return_address(0));
    state.within++;
    if (!state.realloc)
        find("CRYPTO_realloc", &state.realloc);
    void *block = state.realloc(old, size, file, line);
    state.within--;
    return block;
}

struct module {
    const char *name;
    uint64_t count;
};

static void add(struct module *modules, const void *caller, uint64_t n) {
    Dl_info info;
    const char *name = dladdr(caller, &info) && info.dli_fname ? info.dli_fname : "unknown";
    const char *slash = strrchr(name, '/');
    name = slash ? slash + 1 : name;
    for (size_t i = 0; i < MODULES; i++) {
        if (!modules[i].name)
            modules[i].name = name;
        if (strcmp(modules[i].name, name) == 0) {
            modules[i].count += n;
            return;
        }
    }
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("COUNT_ALLOCATIONS");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
    if (fd < 0)
        return;
    struct module modules[MODULES] = {{.name = NULL}};
    for (size_t i = 0; i < SITES; i++)
        if (state.sites[i].caller)
            add(modules, state.sites[i].caller, state.sites[i].count);
    (void)dprintf(fd, "{\"lost\": %llu", (unsigned long long)state.lost);
    for (size_t i = 0; i < MODULES && modules[i].name; i++)
        (void)dprintf(fd, ", \"%s\": %llu", modules[i].name, (unsigned long long)modules[i].count);
    (void)dprintf(fd, "}\n");
    (void)close(fd);
}
