/* For LD_PRELOAD: looks at each piece of memory that is freed, and writes to the file FREED_REPORT who freed one that
 * still holds the text FREED_SECRET. A piece that grows elsewhere is freed as well. */
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 24 };

void *__libc_malloc(size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *old);

static const char *secret;
static size_t secret_len;
static int report = -1;

__attribute__((constructor)) static void begin(void) {
    void *frames[FRAMES];
    (void)backtrace(frames, FRAMES); /* what it loads, it loads now */
    const char *path = getenv("FREED_REPORT"), *text = getenv("FREED_SECRET");
    report = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    secret_len = text ? strlen(text) : 0;
    secret = secret_len ? text : NULL;
}

static void look(const void *old) {
    size_t size = old && secret && report >= 0 ? malloc_usable_size((void *)(size_t)old) : 0;
    if (size < secret_len || !memmem(old, size, secret, secret_len))
        return;
    static const char text[] = "Freed with the secret by:\n";
    void *frames[FRAMES];
    if (write(report, text, sizeof text - 1) > 0)
        backtrace_symbols_fd(frames, backtrace(frames, FRAMES), report);
}

void free(void *old) {
    look(old);
    __libc_free(old);
}

void *realloc(void *old, size_t size) {
    size_t had = old ? malloc_usable_size(old) : 0;
    if (!had || size <= had)
        return __libc_realloc(old, size);
    void *bigger = __libc_malloc(size);
    if (bigger) {
        memcpy(bigger, old, had);
        free(old);
    }
    return bigger;
}
