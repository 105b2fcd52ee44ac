/* For LD_PRELOAD: a disk on which no folder can be brought to rest from the moment on that the file FAILING_FOLDER is
 * there: fsync() of a folder fails, that of a file doesn't. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int fsync(int fd) {
    int (*real)(int);
    void *found = dlsym(RTLD_NEXT, "fsync");
    if (!found)
        abort();
    memcpy(&real, &found, sizeof real);
    const char *path = getenv("FAILING_FOLDER");
    struct stat status;
    if (path && access(path, F_OK) == 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}
