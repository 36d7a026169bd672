#pragma once

#include "net/options/translate_values.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <type_traits>

// What the tables of keys have in common: a value of one type goes to one option.

namespace vagus {

constexpr int64_t int32_max = std::numeric_limits<int32_t>::max();
constexpr int64_t int64_max = std::numeric_limits<int64_t>::max();

inline void refuse(translation& work, const conf_value& value) {
  work.error(value, fmt::format("\"{}\": vagus does not support this yet", work.key));
}

/// Refuses everything but "off".
inline void only_false(translation& work, const conf_value& value) {
  auto* x = std::get_if<bool>(&value.data);
  if (!x || *x) refuse(work, value);
}

inline void only_zero(translation& work, const conf_value& value) {
  auto* x = std::get_if<int64_t>(&value.data);
  if (!x || *x != 0) refuse(work, value);
}

template <auto Member>
inline void boolean(translation& work, const conf_value& value) {
  if (auto x = read_bool(work, value)) work.out.*Member = *x;
}

template <auto Member>
inline void text(translation& work, const conf_value& value) {
  if (auto x = read_string(work, value)) work.out.*Member = std::move(*x);
}

template <auto Member, int64_t Lowest, int64_t Highest>
inline void integer(translation& work, const conf_value& value) {
  using type = std::decay_t<decltype(work.out.*Member)>;
  if (auto x = read_integer(work, value, Lowest, Highest)) work.out.*Member = static_cast<type>(*x);
}

template <auto Member>
inline void duration(translation& work, const conf_value& value) {
  if (auto x = read_duration_or_seconds(work, value)) work.out.*Member = *x;
}

/// Checked for its type only: there is nothing that it could change.
inline void any_boolean(translation& work, const conf_value& value) {
  read_bool(work, value);
}

inline void any_integer(translation& work, const conf_value& value) {
  read_integer(work, value, std::numeric_limits<int64_t>::min(), int64_max);
}

/// "jetstream" and "store_dir" of the top level.
void jetstream(translation& work, const conf_value& value);
void store_dir(translation& work, const conf_value& value);

}  // namespace vagus
