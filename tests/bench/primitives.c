/* What a kilobyte costs at the least: SHA-256 and MD5 of it, AES-128-GCM of it in records of 16 KiB, one copy. Prints
 * nanoseconds of CPU for each, as JSON; each is the least of many rounds.
 *
 * primitives [ROUNDS] */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE ((size_t)128 << 10)
#define RECORD ((size_t)16 << 10)

struct work {
    unsigned char *from, *to;
    EVP_MD *sha256, *md5;
    EVP_CIPHER *aes;
    EVP_MD_CTX *digest;
    EVP_CIPHER_CTX *cipher;
};

static void need(int holds) {
    if (holds != 1)
        abort();
}

static double now_nanoseconds(void) {
    struct timespec t;
    need(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void hash(struct work *w, const EVP_MD *type) {
    unsigned char result[EVP_MAX_MD_SIZE];
    need(EVP_DigestInit_ex2(w->digest, type, NULL) == 1 && EVP_DigestUpdate(w->digest, w->from, SIZE) == 1 &&
         EVP_DigestFinal_ex(w->digest, result, NULL) == 1);
}

static void sha256(struct work *w) {
    hash(w, w->sha256);
}

static void md5(struct work *w) {
    hash(w, w->md5);
}

static void aes_gcm(struct work *w) {
    static const unsigned char key[16] = {1}, iv[12] = {2};
    for (size_t at = 0; at < SIZE; at += RECORD) {
        int len = 0;
        unsigned char tag[16];
        need(EVP_EncryptInit_ex2(w->cipher, at ? NULL : w->aes, at ? NULL : key, iv, NULL) == 1 &&
             EVP_EncryptUpdate(w->cipher, w->to + at, &len, w->from + at, (int)RECORD) == 1 &&
             EVP_EncryptFinal_ex(w->cipher, tag, &len) == 1 &&
             EVP_CIPHER_CTX_ctrl(w->cipher, EVP_CTRL_AEAD_GET_TAG, sizeof tag, tag) == 1);
    }
}

static void copy(struct work *w) {
    memcpy(w->to, w->from, SIZE);
    __asm__ volatile("" : : "r"(w->to) : "memory"); /* it is wanted */
}

/* Nanoseconds for 1,000 bytes. */
static double least(struct work *w, void (*work)(struct work *), long rounds) {
    double best = 1e18;
    for (long i = 0; i < rounds; i++) {
        double began = now_nanoseconds();
        work(w);
        double took = now_nanoseconds() - began;
        best = took < best ? took : best;
    }
    return best / (double)SIZE * 1e3;
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    struct work w = {.from = malloc(SIZE),
                     .to = malloc(SIZE),
                     .sha256 = EVP_MD_fetch(NULL, "SHA256", NULL),
                     .md5 = EVP_MD_fetch(NULL, "MD5", NULL),
                     .aes = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL),
                     .digest = EVP_MD_CTX_new(),
                     .cipher = EVP_CIPHER_CTX_new()};
    need(w.from && w.to && w.sha256 && w.md5 && w.aes && w.digest && w.cipher);
    memset(w.from, 'x', SIZE);
    memset(w.to, 0, SIZE);
    (void)printf("{\"sha256\": %.2f, \"md5\": %.2f, \"aes_gcm\": %.2f, \"copy\": %.2f}\n", least(&w, sha256, rounds),
                 least(&w, md5, rounds), least(&w, aes_gcm, rounds), least(&w, copy, rounds));
    EVP_MD_free(w.sha256);
    EVP_MD_free(w.md5);
    EVP_CIPHER_free(w.aes);
    EVP_MD_CTX_free(w.digest);
    EVP_CIPHER_CTX_free(w.cipher);
    free(w.from);
    free(w.to);
    return EXIT_SUCCESS;
}
