/* Columns for people. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/command.h"

enum { MOST_COLUMNS = 16 };

struct cell {
    struct cell *next;
    const char *text;
    enum lab_colour colour;
};

struct row {
    struct row *next;
    struct cell *cells;
    struct cell **end;
};

struct lab_table {
    struct charm_arena *arena;
    const char *const *titles;
    struct row *rows;
    struct row *last;
};

struct lab_table *lab_table_new(struct charm_arena *arena, const char *const *titles)
{
    struct lab_table *table = charm_arena_alloc(arena, sizeof(*table));
    table->arena = arena;
    table->titles = titles;
    return table;
}

void lab_table_row(struct lab_table *table)
{
    struct row *row = charm_arena_alloc(table->arena, sizeof(*row));
    row->end = &row->cells;
    if (table->last == NULL) {
        table->rows = row;
    } else {
        table->last->next = row;
    }
    table->last = row;
}

void lab_table_cell(struct lab_table *table, enum lab_colour colour, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct cell *cell = charm_arena_alloc(table->arena, sizeof(*cell));
    cell->text = charm_arena_vprintf(table->arena, format, args);
    cell->colour = colour;
    *table->last->end = cell;
    table->last->end = &cell->next;
    va_end(args);
}

/* Columns on a screen, one a character. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xC0U) != 0x80U ? 1 : 0;
    }
    return width;
}

static const char *title_text(const char *title)
{
    return title[0] == '#' ? title + 1 : title;
}

static void measure(const struct lab_table *table, int widths[MOST_COLUMNS])
{
    for (size_t i = 0; i < MOST_COLUMNS && table->titles[i] != NULL; i++) {
        widths[i] = width_of(title_text(table->titles[i]));
    }
    for (const struct row *row = table->rows; row != NULL; row = row->next) {
        size_t i = 0;
        for (const struct cell *cell = row->cells; cell != NULL && i < MOST_COLUMNS;
             cell = cell->next, i++) {
            const int width = width_of(cell->text);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
}

static void print_cell(const char *text, enum lab_colour colour, int width, bool right, bool last)
{
    static const char *const codes[] = {
        [LAB_PLAIN] = "",          [LAB_BOLD] = "\033[1m", [LAB_GREEN] = "\033[32m",
        [LAB_YELLOW] = "\033[33m", [LAB_RED] = "\033[31m", [LAB_GREY] = "\033[90m",
    };
    const int gap = width - width_of(text);
    if (right) {
        printf("%*s", gap, "");
    }
    printf("%s%s%s", codes[colour], text, colour == LAB_PLAIN ? "" : "\033[0m");
    if (!last) {
        printf("%*s", right ? 2 : gap + 2, "");
    }
}

/* Nothing but empty cells behind this one: no blanks at the end of a line. */
static bool is_last(const struct cell *cell)
{
    for (const struct cell *next = cell->next; next != NULL; next = next->next) {
        if (next->text[0] != '\0') {
            return false;
        }
    }
    return true;
}

void lab_table_print(const struct lab_table *table, bool colour)
{
    int widths[MOST_COLUMNS] = { 0 };
    measure(table, widths);
    for (size_t i = 0; table->titles[i] != NULL; i++) {
        print_cell(title_text(table->titles[i]), colour ? LAB_BOLD : LAB_PLAIN, widths[i],
                   table->titles[i][0] == '#', table->titles[i + 1] == NULL);
    }
    putchar('\n');
    for (const struct row *row = table->rows; row != NULL; row = row->next) {
        size_t i = 0;
        for (const struct cell *cell = row->cells; cell != NULL; cell = cell->next, i++) {
            print_cell(cell->text, colour ? cell->colour : LAB_PLAIN, widths[i],
                       table->titles[i][0] == '#', is_last(cell));
            if (is_last(cell)) {
                break;
            }
        }
        putchar('\n');
    }
}

bool lab_wants_colour(const struct lab_args *args)
{
    if (lab_option(args, "color") != NULL) {
        return true;
    }
    const char *refused = getenv("NO_COLOR");
    return lab_option(args, "no-color") == NULL && (refused == NULL || refused[0] == '\0') &&
           isatty(STDOUT_FILENO);
}

enum lab_colour lab_status_colour(const char *word)
{
    static const struct {
        const char *word;
        enum lab_colour colour;
    } colours[] = {
        { "active", LAB_GREEN },       { "idle", LAB_GREEN },       { "completed", LAB_GREEN },
        { "ok", LAB_GREEN },           { "blocked", LAB_RED },      { "error", LAB_RED },
        { "lost", LAB_RED },           { "failed", LAB_RED },       { "waiting", LAB_YELLOW },
        { "maintenance", LAB_YELLOW }, { "executing", LAB_YELLOW }, { "allocating", LAB_YELLOW },
        { "running", LAB_YELLOW },     { NULL, LAB_PLAIN },
    };
    for (size_t i = 0; colours[i].word != NULL; i++) {
        if (charmi_same(colours[i].word, word)) {
            return colours[i].colour;
        }
    }
    return LAB_PLAIN;
}
