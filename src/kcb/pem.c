#include "kcb/pem.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum {
    LINE_LENGTH = 64,
    LONGEST_LABEL = 64,
};

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

/* One block: `label` "CERTIFICATE", and the base64 between its two marks. */
struct block {
    const char *begin;
    const char *label;
    const char *body;
    const char *end;  /* of the body */
    const char *next; /* where the text goes on */
};

/* A mark with its label, at `at`: returns what lies behind, or NULL. */
static const char *read_mark(struct charm_arena *arena, const char *at, const char *mark,
                             const char **ret_label)
{
    const char *label = at + strlen(mark);
    const char *end = strstr(label, dashes);
    if (end == NULL || end == label || end - label > LONGEST_LABEL) {
        return NULL;
    }
    *ret_label = charm_arena_copy_n(arena, label, (size_t)(end - label));
    return end + strlen(dashes);
}

/* The next block from `at` on: 1 and the block, 0: there is none, -1: it is broken. */
static int read_block(struct charm_arena *arena, const char *at, struct block *ret_block)
{
    const char *begin = strstr(at, begin_mark);
    const char *end_label = NULL;
    struct block block = { 0 };
    if (begin == NULL) {
        return 0;
    }
    block.begin = begin;
    block.body = read_mark(arena, begin, begin_mark, &block.label);
    block.end = block.body == NULL ? NULL : strstr(block.body, end_mark);
    block.next = block.end == NULL ? NULL : read_mark(arena, block.end, end_mark, &end_label);
    if (block.next == NULL || !charmi_same(block.label, end_label)) {
        return -1;
    }
    *ret_block = block;
    return 1;
}

/* False: what stands inside is no base64. */
static bool add_lines(const struct block *block, struct charmi_buf *buf)
{
    size_t size = 0;
    charmi_buf_addf(buf, "%s%s%s\n", begin_mark, block->label, dashes);
    for (const char *at = block->body; at < block->end; at++) {
        const unsigned char c = (unsigned char)*at;
        if (isspace(c)) {
            continue;
        }
        if (c >= 0x80 || (!isalnum(c) && strchr("+/=", (char)c) == NULL)) {
            return false;
        }
        if (size > 0 && size % LINE_LENGTH == 0) {
            charmi_buf_add_char(buf, '\n');
        }
        charmi_buf_add_char(buf, (char)c);
        size++;
    }
    charmi_buf_addf(buf, "\n%s%s%s\n", end_mark, block->label, dashes);
    return size > 0;
}

static int check_size(const char *text, struct charm_error *reterr)
{
    return strlen(text) > KCBI_PEM_MAX
               ? charm_error_set(reterr, CHARM_ETOOBIG, "it is longer than %d bytes", KCBI_PEM_MAX)
               : 0;
}

static int broken(const char *what, size_t number, struct charm_error *reterr)
{
    return charm_error_set(reterr, CHARM_EPARSE, "%s %zu is cut short or no base64", what, number);
}

/* ---- certificates ---- */

/* Kafka's pattern for what stands before a certificate takes as much of a line as it can. */
static bool share_a_line(const char *before, const char *begin)
{
    return before != NULL && before + strcspn(before, "\r\n") > begin;
}

static int add_certificates(struct charm_arena *arena, const char *text, struct charmi_buf *buf,
                            struct charm_error *reterr)
{
    struct block block;
    const char *before = NULL;
    size_t count = 0;
    int found;
    while ((found = read_block(arena, text, &block)) != 0) {
        const bool counts = found < 0 || charmi_same(block.label, "CERTIFICATE");
        if (counts && (found < 0 || !add_lines(&block, buf))) {
            return broken("certificate", count + 1, reterr);
        }
        if (counts && share_a_line(before, block.begin)) {
            return charm_error_set(
                reterr, CHARM_EINVAL,
                "certificates %zu and %zu share a line, of which Kafka reads the "
                "last one alone: put \\n between them",
                count, count + 1);
        }
        count += counts;
        before = counts ? block.begin : before;
        text = block.next;
    }
    return count > 0 ? 0
                     : charm_error_set(reterr, CHARM_EPARSE,
                                       "there is no certificate in it: want PEM, -----BEGIN "
                                       "CERTIFICATE----- and so on");
}

int kcbi_pem_certificates(struct charm_arena *arena, const char *text, const char **ret_lines,
                          struct charm_error *reterr)
{
    charmi_auto_buf struct charmi_buf buf = charmi_buf_init((size_t)KCBI_PEM_MAX * 2);
    int code = check_size(text, reterr);
    if (code == 0) {
        code = add_certificates(arena, text, &buf, reterr);
    }
    if (code == 0) {
        *ret_lines = charm_arena_copy(arena, charmi_buf_text(&buf));
    }
    return code;
}

/* ---- the key ---- */

static int find_key(struct charm_arena *arena, const char *text, struct block *ret_block,
                    struct charm_error *reterr)
{
    int found;
    while ((found = read_block(arena, text, ret_block)) > 0) {
        if (charmi_ends_with(ret_block->label, "PRIVATE KEY")) {
            return 0;
        }
        text = ret_block->next;
    }
    return found < 0 ? broken("key", 1, reterr)
                     : charm_error_set(reterr, CHARM_EPARSE,
                                       "there is no key in it: want PEM, -----BEGIN PRIVATE "
                                       "KEY----- and so on");
}

int kcbi_pem_key(struct charm_arena *arena, const char *text, const char **ret_lines,
                 bool *ret_encrypted, struct charm_error *reterr)
{
    charmi_auto_buf struct charmi_buf buf = charmi_buf_init((size_t)KCBI_PEM_MAX * 2);
    struct block block;
    int code = check_size(text, reterr);
    if (code == 0) {
        code = find_key(arena, text, &block, reterr);
    }
    if (code != 0) {
        return code;
    }
    const bool encrypted = charmi_same(block.label, "ENCRYPTED PRIVATE KEY");
    if (!encrypted && !charmi_same(block.label, "PRIVATE KEY")) {
        return charm_error_set(reterr, CHARM_EINVAL,
                               "Kafka reads keys in PKCS#8 alone: openssl pkcs8 -topk8 -nocrypt "
                               "makes one");
    }
    if (!add_lines(&block, &buf)) {
        return broken("key", 1, reterr);
    }
    *ret_encrypted = encrypted;
    *ret_lines = charm_arena_copy(arena, charmi_buf_text(&buf));
    return 0;
}
