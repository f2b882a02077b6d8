/* simdjson's side of json.h. No exceptions: every call gives an error code. */
#include "router/wire/json.h"

#include <simdjson.h>

#include <string_view>
#include <utility>

namespace
{

using simdjson::error_code;
using simdjson::ondemand::array;
using simdjson::ondemand::document;
using simdjson::ondemand::json_type;
using simdjson::ondemand::object;

error_code walk_array(json_builder *builder, array list, int depth);
error_code walk_object(json_builder *builder, object map, int depth);

template <typename Value> error_code walk(json_builder *builder, Value &value, int depth)
{
    json_type type;
    if (json_is_full(builder)) {
        return simdjson::CAPACITY;
    }
    if (error_code error = value.type().get(type)) {
        return error;
    }
    switch (type) {
    case json_type::array: {
        array list;
        error_code error = value.get_array().get(list);
        return error ? error : walk_array(builder, list, depth);
    }
    case json_type::object: {
        object map;
        error_code error = value.get_object().get(map);
        return error ? error : walk_object(builder, map, depth);
    }
    case json_type::string: {
        std::string_view text;
        if (error_code error = value.get_string().get(text)) {
            return error;
        }
        json_string(builder, text.data(), text.size());
        return simdjson::SUCCESS;
    }
    case json_type::number: {
        std::string_view text;
        simdjson::simdjson_result<std::string_view> token = value.raw_json_token();
        if (error_code error = std::move(token).get(text)) {
            return error;
        }
        /* The iterators step over what has not been read as a number. */
        return json_number(builder, text.data(), text.size()) ? simdjson::SUCCESS
                                                              : simdjson::NUMBER_ERROR;
    }
    case json_type::boolean: {
        bool boolean;
        if (error_code error = value.get_bool().get(boolean)) {
            return error;
        }
        json_bool(builder, boolean);
        return simdjson::SUCCESS;
    }
    case json_type::null:
        break;
    }
    bool is_null;
    if (error_code error = simdjson::simdjson_result<bool>(value.is_null()).get(is_null)) {
        return error;
    }
    if (!is_null) {
        return simdjson::N_ATOM_ERROR;
    }
    json_null(builder);
    return simdjson::SUCCESS;
}

error_code walk_array(json_builder *builder, array list, int depth)
{
    if (depth >= JSON_DEPTH_MAX) {
        return simdjson::DEPTH_ERROR;
    }
    json_open(builder, false);
    for (auto item : list) {
        simdjson::ondemand::value value;
        if (error_code error = item.get(value)) {
            return error;
        }
        if (error_code error = walk(builder, value, depth + 1)) {
            return error;
        }
    }
    json_close(builder);
    return simdjson::SUCCESS;
}

error_code walk_object(json_builder *builder, object map, int depth)
{
    if (depth >= JSON_DEPTH_MAX) {
        return simdjson::DEPTH_ERROR;
    }
    json_open(builder, true);
    for (auto entry : map) {
        simdjson::ondemand::field field;
        if (error_code error = std::move(entry).get(field)) {
            return error;
        }
        std::string_view key;
        if (error_code error = field.unescaped_key().get(key)) {
            return error;
        }
        json_key(builder, key.data(), key.size());
        simdjson::ondemand::value value = field.value();
        if (error_code error = walk(builder, value, depth + 1)) {
            return error;
        }
    }
    json_close(builder);
    return simdjson::SUCCESS;
}

} // namespace

const char *json_walk(json_builder *builder, const char *text, size_t size)
{
    simdjson::ondemand::parser parser;
    document doc;

    error_code error = parser.iterate(text, size, size + 64).get(doc);
    if (!error) {
        error = walk(builder, doc, 0);
    }
    const char *at;
    if (!error && !doc.current_location().get(at)) {
        return "more than one value";
    }
    return error ? simdjson::error_message(error) : nullptr;
}
