/* For LD_PRELOAD: a resolver whose answers the test writes. OTHER_NAMES names a file of lines "host address"; a host of
 * the domain .test that has no line has no address. All other names are asked for as usual. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int resolve(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret);

static int answer(resolve *real, const char *host, const char *service, const struct addrinfo *hints,
                  struct addrinfo **ret) {
    const char *path = getenv("OTHER_NAMES");
    FILE *file = path ? fopen(path, "re") : NULL;
    char line[256], *rest;
    int code = EAI_NONAME;
    while (file && fgets(line, sizeof line, file)) {
        const char *name = strtok_r(line, " \n", &rest), *address = strtok_r(NULL, " \n", &rest);
        if (name && address && strcmp(name, host) == 0)
            code = real(address, service, hints, ret);
    }
    if (file)
        (void)fclose(file);
    return code;
}

int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict ret) {
    resolve *real;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!real)
        return EAI_SYSTEM;
    size_t len = host ? strlen(host) : 0;
    bool ours = len > 5 && strcmp(host + len - 5, ".test") == 0;
    return ours ? answer(real, host, service, hints, ret) : real(host, service, hints, ret);
}
