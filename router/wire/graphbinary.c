#include "router/wire/graphbinary.h"

#include "common/codec_type.h"
#include "common/predicate.h"
#include "common/text.h"
#include "router/gremlin/builder.h"

#include <assert.h>

enum {
    INSTRUCTION_MIN = 8, /* Bytes of the shortest: two lengths. */
    VALUE_MIN = 2
};

/* What every function that reads needs. */
struct take {
    struct graphbinary *graphbinary;
    struct reader *reader;
    struct arena *arena;
    int depth;
};

struct slice graphbinary_take_text(struct reader *reader)
{
    struct slice text = reader_take(reader, reader_u32(reader));

    if (!text_is_utf8(text)) {
        reader_spoil(reader);
        return SLICE("");
    }
    return text;
}

static uint32_t take_count(const struct take *t, size_t item_bytes)
{
    uint32_t count = reader_u32(t->reader);

    if (count > reader_left(t->reader) / item_bytes) {
        reader_spoil(t->reader);
    }
    return t->reader->is_bad ? 0 : count;
}

static struct value *take_values(const struct take *t, uint32_t count)
{
    struct value *values = arena_array(t->arena, count, sizeof *values);

    for (uint32_t i = 0; i < count; i++) {
        codec_decode(t->reader, t->arena, &t->graphbinary->codec, t->depth + 1, &values[i]);
    }
    return values;
}

/* ---- reading ---- */

static void take_instruction(const struct take *t, struct builder *builder, bool is_source)
{
    struct slice name = graphbinary_take_text(t->reader);
    uint32_t count = take_count(t, VALUE_MIN);

    t->graphbinary->instruction_count++;
    t->graphbinary->arg_count += count;
    if (t->graphbinary->instruction_count > BYTECODE_STEPS_MAX ||
        t->graphbinary->arg_count > BYTECODE_ARGS_MAX) {
        reader_spoil(t->reader);
        return;
    }
    const struct value *args = take_values(t, count);
    if (is_source) {
        (void)builder_source(builder, name, args, count);
    } else {
        (void)builder_step(builder, name, args, count);
    }
}

/* Steps come first, though they follow the sources. */
static void take_bytecode(const struct take *t, struct value *out)
{
    struct builder steps;
    struct builder sources;

    uint32_t count = take_count(t, INSTRUCTION_MIN);
    builder_init(&steps, t->arena, 0, count);
    for (uint32_t i = 0; i < count && !t->reader->is_bad; i++) {
        take_instruction(t, &steps, false);
    }
    count = take_count(t, INSTRUCTION_MIN);
    builder_init(&sources, t->arena, count, 0);
    for (uint32_t i = 0; i < count && !t->reader->is_bad; i++) {
        take_instruction(t, &sources, true);
    }
    sources.steps = steps.steps;
    sources.step_count = steps.step_count;
    out->kind = VALUE_TRAVERSAL;
    out->traversal = builder_finish(&sources);
}

static void take_predicate(const struct take *t, struct value *out)
{
    struct slice name = graphbinary_take_text(t->reader);
    uint32_t count = take_count(t, VALUE_MIN);
    const struct value *values = take_values(t, count);

    if (t->reader->is_bad || !builder_named_predicate(t->arena, name, values, count, out)) {
        reader_spoil(t->reader);
        *out = value_null();
    }
}

static void take_strategy(const struct take *t, struct value *out)
{
    struct slice name = graphbinary_take_text(t->reader);
    struct value map;

    codec_decode_body(t->reader, t->arena, &t->graphbinary->codec, TYPE_MAP, t->depth + 1, &map);
    if (!t->reader->is_bad && map.kind == VALUE_MAP) {
        *out = builder_strategy(t->arena, name, &map);
    }
}

/* Language, script, number of arguments: the script alone is kept, to be named when it is refused.
 * */
static void take_lambda(const struct take *t, struct value *out)
{
    (void)graphbinary_take_text(t->reader);
    *out = value_string(graphbinary_take_text(t->reader));
    out->kind = VALUE_LAMBDA;
    (void)reader_u32(t->reader);
}

static void read_hook(void *ctx, struct reader *reader, struct arena *arena, uint8_t type,
                      int depth, struct value *out)
{
    struct take t = {ctx, reader, arena, depth};

    *out = value_null();
    if (depth > VALUE_DEPTH_MAX) {
        reader_spoil(reader);
        return;
    }
    switch (type) {
    case TYPE_BYTECODE:
        take_bytecode(&t, out);
        break;
    case TYPE_P:
    case TYPE_TEXTP:
        take_predicate(&t, out);
        break;
    case TYPE_STRATEGY:
        take_strategy(&t, out);
        break;
    case TYPE_LAMBDA:
        take_lambda(&t, out);
        break;
    case TYPE_BINDING:
        (void)graphbinary_take_text(reader);
        codec_decode(reader, arena, &t.graphbinary->codec, depth + 1, out);
        break;
    default:
        reader_spoil(reader);
        break;
    }
}

/* ---- writing ---- */

void graphbinary_put_text(struct bytes *out, struct slice text)
{
    bytes_u32(out, (uint32_t)text.size);
    bytes_append(out, text.data, text.size);
}

static void put_head(struct bytes *out, uint8_t type)
{
    bytes_u8(out, type);
    bytes_u8(out, FLAG_VALUE);
}

static void put_instructions(struct bytes *out, const struct codec *codec,
                             const struct instruction *instructions, uint32_t count)
{
    bytes_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        graphbinary_put_text(out, instructions[i].name);
        bytes_u32(out, instructions[i].arg_count);
        for (uint32_t j = 0; j < instructions[i].arg_count; j++) {
            codec_encode(out, codec, &instructions[i].args[j]);
        }
    }
}

static void put_predicate(struct bytes *out, const struct codec *codec,
                          const struct predicate *predicate)
{
    put_head(out, predicate_is_text(predicate->test) ? TYPE_TEXTP : TYPE_P);
    graphbinary_put_text(out, slice_text(predicate_name(predicate->test)));
    bytes_u32(out, predicate->operand_count + predicate->child_count);
    for (uint32_t i = 0; i < predicate->operand_count; i++) {
        codec_encode(out, codec, &predicate->operands[i]);
    }
    for (uint32_t i = 0; i < predicate->child_count; i++) {
        put_predicate(out, codec, &predicate->children[i]);
    }
}

static void put_strategy(struct bytes *out, const struct codec *codec, const struct value *strategy)
{
    const struct value *map = &strategy->items[1];

    put_head(out, TYPE_STRATEGY);
    graphbinary_put_text(out, value_slice(&strategy->items[0]));
    bytes_u32(out, map->size);
    for (size_t i = 0; i < 2 * (size_t)map->size; i++) {
        codec_encode(out, codec, &map->items[i]);
    }
}

static bool write_hook(void *ctx, struct bytes *out, const struct value *value)
{
    const struct graphbinary *graphbinary = ctx;
    const struct codec *codec = &graphbinary->codec;

    switch (value->kind) {
    case VALUE_TRAVERSAL:
        put_head(out, TYPE_BYTECODE);
        put_instructions(out, codec, value->traversal->steps, value->traversal->step_count);
        put_instructions(out, codec, value->traversal->sources, value->traversal->source_count);
        return true;
    case VALUE_PREDICATE:
        put_predicate(out, codec, value->predicate);
        return true;
    case VALUE_STRATEGY:
        put_strategy(out, codec, value);
        return true;
    case VALUE_LAMBDA:
        put_head(out, TYPE_LAMBDA);
        graphbinary_put_text(out, SLICE("gremlin-groovy"));
        graphbinary_put_text(out, value_slice(value));
        bytes_u32(out, 1);
        return true;
    case VALUE_GEO: /* No driver knows our type: they get the text. */
        put_head(out, TYPE_STRING);
        graphbinary_put_text(out, value_slice(value));
        return true;
    default:
        return false;
    }
}

void graphbinary_init(struct graphbinary *graphbinary)
{
    assert(graphbinary != NULL);
    *graphbinary = (struct graphbinary){{read_hook, write_hook, graphbinary}, 0, 0};
}
