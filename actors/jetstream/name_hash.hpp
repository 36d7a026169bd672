#pragma once

#include <string>
#include <string_view>

namespace vagus {

/// Eight letters and digits that stand for a name, as nats-server makes them: of the SHA-256 one
/// for each of the first bytes.
std::string name_hash(std::string_view name);

}  // namespace vagus
