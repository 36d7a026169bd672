#pragma once

#include <string_view>

namespace vagus {

/// The version of this program.
inline constexpr std::string_view vagus_version = "0.1.0";

/// The version that INFO announces: clients compare it to decide which features they may use.
inline constexpr std::string_view nats_version = "2.11.0";

}  // namespace vagus
