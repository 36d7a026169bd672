#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace vagus {

/// `vagus store check DIR`, `vagus store info DIR`, `vagus store backup DIR TO`: `words` are those
/// behind `store`. DIR is a stream's directory or one with streams somewhere below it; a running
/// server may have it open. Answers the exit code: 0, 1 if a stream is damaged or cannot be read
/// or copied, 2 if the words are not understood.
int run_store_tool(const std::vector<std::string>& words, std::ostream& out, std::ostream& err);

/// The three commands, for a usage text.
const char* store_tool_usage();

}  // namespace vagus
