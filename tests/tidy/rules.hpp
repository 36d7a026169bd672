#pragma once

#include "source_file.hpp"

#include <string>
#include <vector>

namespace vagus::tidy {

/// What breaks a rule in one file: "path:line: what", one for each place.
using findings = std::vector<std::string>;

findings long_file(const source_file& file);       ///< over 600 lines
findings long_functions(const source_file& file);  ///< bodies over 70 lines
findings long_lines(const source_file& file);      ///< over 100 characters, in C++
findings caf_imports(const source_file& file);     ///< `using namespace caf`
findings left_markers(const source_file& file);    ///< notes to do something later
findings sleeps(const source_file& file);          ///< in tests
findings lmdb_includes(const source_file& file);   ///< outside of storage/lmdb*
findings foreign_words(const source_file& file);   ///< identifiers that NATS has other words for

/// Folders with sources and no README.md; below tests/ that of the parent folder will do.
findings folders_without_readme(const std::vector<source_file>& files,
                                const std::filesystem::path& root);

}  // namespace vagus::tidy
