#include "credentials_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_WHY_SIZE 1024

struct waits {
    struct credentials_wait *first, *last;
};

struct chain {
    struct credentials_provider *links;
    size_t count;
    size_t at;                     /* the link that is asked */
    bool chosen;                   /* it gave credentials once */
    bool asking;                   /* ask() is at work further up the stack */
    struct credentials_wait inner; /* our own wait at a link */
    struct waits waiting;
    struct waits served; /* those that the answer at hand is for */
    char why[CHAIN_WHY_SIZE];      /* what the links before this one said */
};

static void push(struct waits *list, struct credentials_wait *wait) {
    wait->next = NULL;
    wait->previous = list->last;
    if (list->last) {
        list->last->next = wait;
    } else {
        list->first = wait;
    }
    list->last = wait;
}

static bool take_out(struct waits *list, struct credentials_wait *wait) {
    struct credentials_wait *w = list->first;
    while (w && w != wait) {
        w = w->next;
    }
    if (!w) {
        return false;
    }
    *(w->previous ? &w->previous->next : &list->first) = w->next;
    *(w->next ? &w->next->previous : &list->last) = w->previous;
    w->next = w->previous = NULL;
    return true;
}

/* Who asks from inside a callback waits for the next answer: serving it now could replace the credentials under those still to come. */
static void serve(struct chain *c, const struct credentials *credentials, const struct credentials_failure *failure) {
    c->served = c->waiting;
    c->waiting = (struct waits){NULL, NULL};
    while (c->served.first) {
        struct credentials_wait *wait = c->served.first;
        (void)take_out(&c->served, wait);
        wait->pending = false;
        wait->ready(wait->user, credentials, failure);
    }
}

static void ask(struct chain *c) {
    if (c->asking) {
        return;
    }
    c->asking = true;
    while (c->waiting.first && !c->inner.pending) {
        c->inner.pending = true;
        credentials_get(&c->links[c->at], &c->inner);
    }
    c->asking = false;
}

static void note(struct chain *c, const char *message) {
    size_t len = strlen(c->why);
    (void)snprintf(c->why + len, sizeof c->why - len, "%s%s", len ? "; " : "", message);
}

static void link_answered(void *user, const struct credentials *credentials, const struct credentials_failure *failure) {
    struct chain *c = user;
    if (credentials) {
        c->chosen = true;
        c->why[0] = '\0';
        serve(c, credentials, NULL);
    } else if (c->chosen || failure->class != CALL_AUTH) {
        serve(c, NULL, failure);
    } else {
        note(c, failure->message);
        if (++c->at == c->count) {
            char why[CHAIN_WHY_SIZE];
            memcpy(why, c->why, sizeof why);
            c->at = 0;
            c->why[0] = '\0';
            serve(c, NULL, &(struct credentials_failure){CALL_AUTH, why});
        }
    }
    ask(c);
}

static void chain_get(void *impl, struct credentials_wait *wait) {
    struct chain *c = impl;
    wait->pending = true;
    push(&c->waiting, wait);
    ask(c);
}

static void chain_cancel(void *impl, struct credentials_wait *wait) {
    struct chain *c = impl;
    if (take_out(&c->served, wait) || take_out(&c->waiting, wait)) {
        wait->pending = false;
    }
    if (!c->waiting.first && !c->asking) {
        credentials_cancel(&c->links[c->at], &c->inner);
    }
}

static void chain_invalidate(void *impl, struct span access_key_id) {
    struct chain *c = impl;
    if (c->chosen) {
        credentials_invalidate(&c->links[c->at], access_key_id);
    }
}

static void chain_release(void *impl) {
    struct chain *c = impl;
    for (size_t i = 0; i < c->count; i++) {
        credentials_provider_release(&c->links[i]);
    }
    free(c->links);
    free(c);
}

bool credentials_chain_new(struct credentials_provider *providers, size_t count, struct credentials_provider *ret_provider) {
    struct chain *c = calloc(1, sizeof *c);
    if (!c) {
        return false;
    }
    c->links = calloc(count, sizeof *c->links);
    if (!c->links) {
        free(c);
        return false;
    }
    memcpy(c->links, providers, count * sizeof *providers);
    memset(providers, 0, count * sizeof *providers);
    c->count = count;
    c->inner.ready = link_answered;
    c->inner.user = c;
    *ret_provider = (struct credentials_provider){c, chain_get, chain_cancel, chain_invalidate, chain_release};
    return true;
}
