#include "app.h"
#include "help.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* If a descriptor below 3 were closed, the next file that is opened would get it, and output or log lines would end up
 * in there. Standard output is opened so that writing fails: output that has nowhere to go is an error. */
static bool open_standard_descriptors(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            return false;
        }
    }
    return true;
}

static enum exit_code show(const struct cli *cli) {
    struct buf text;
    buf_init(&text, (size_t)64 * 1024);
    bool fine = cli->help.given ? help_append(cli->command, &text)
                                : buf_append_cstr(&text, "table-updater " TABLE_UPDATER_VERSION "\n");
    fine = fine && fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    if (!fine) {
        (void)fprintf(stderr, "table-updater: standard output can't be written: %s\n", strerrordesc_np(errno));
    }
    buf_free(&text);
    return fine ? EXIT_FINE : EXIT_SOME_FAILED;
}

static enum exit_code run_command(const struct cli *cli) {
    struct app app;
    enum exit_code code = app_init(&app, cli);
    if (code == EXIT_FINE) {
        code = cli->command->run(&app);
    } else if (cli->command->refused) {
        cli->command->refused(&app, code);
    }
    app_free(&app);
    return code;
}

int main(int argc, char **argv) {
    struct cli cli;
    char why[CLI_WHY_SIZE];
    app_hold_hangup();
    /* Without these signals, write() fails with EPIPE where the reader is gone, and with EFBIG where a file may not
     * grow. Both are dealt with. */
    if (!open_standard_descriptors() || signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR) {
        return EXIT_UNREACHABLE;
    }
    /* Credentials and messages are in memory: no core dump, and no other process of this user looks in. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    if (!cli_parse(argc, argv, &cli, why)) {
        (void)fprintf(stderr, "table-updater: %s\nTry 'table-updater --help'.\n", why);
        return EXIT_USAGE;
    }
    enum exit_code code = cli.help.given || cli.version.given ? show(&cli) : run_command(&cli);
    return (int)code;
}
