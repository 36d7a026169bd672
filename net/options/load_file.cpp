#include "net/options/caf_file.hpp"
#include "net/options/load.hpp"
#include "net/options/translate.hpp"
#include "net/options/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace vagus {

namespace {

constexpr size_t max_file_size = 16u << 20;

std::string lines(const std::vector<conf_problem>& problems) {
  std::string result;
  for (auto& problem : problems) result += to_string(problem) + "\n";
  return result;
}

void translate_into(loaded_file& result, const conf_map& root, conf_language language,
                    const std::string& path) {
  translation work{result.opts, language, {}, {}, {}};
  forget_followers(work.out);
  // As that server does it: off until the file asks for it.
  if (language == conf_language::nats_server) work.out.jetstream = false;
  translate(root, top_level_rules(), work);
  if (root.empty() && language == conf_language::nats_server)
    work.warnings.push_back({{}, path + ": the configuration is empty"});
  result.errors = lines(work.errors);
  result.warnings = lines(work.warnings);
}

void load_caf(loaded_file& result, const std::string& text, const std::string& path) {
  auto document = read_caf(text, path);
  if (document.error) {
    result.errors = to_string(*document.error) + "\n";
    return;
  }
  translate_into(result, document.vagus, conf_language::caf, path);
  result.caf = std::move(document.rest);
  result.opts.config_digest = std::move(document.digest);
}

}  // namespace

environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    auto* value = std::getenv(std::string{name}.c_str());
    return value ? std::optional<std::string>{value} : std::nullopt;
  };
}

file_text read_text_file(const std::string& path) {
  auto failed = [&] { return file_text{{}, fmt::format("{}: {}", path, std::strerror(errno))}; };
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rb"), std::fclose};
  if (!file) return failed();
  std::string text;
  char buffer[64 * 1024];
  while (auto count = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, count);
    if (text.size() > max_file_size) return {{}, path + ": the file is larger than 16 MiB"};
  }
  if (std::ferror(file.get())) return failed();
  return {std::move(text), {}};
}

loaded_file load_file(const std::string& path, const environment& env, bool force_caf) {
  loaded_file result;
  auto file = read_text_file(path);
  if (!file.text) {
    result.errors = file.error + "\n";
    return result;
  }
  if (force_caf || looks_like_caf(*file.text)) {
    load_caf(result, *file.text, path);
  } else {
    auto parsed = parse_conf(*file.text, path, {env, read_text_file, {}});
    if (parsed.error) {
      result.errors = to_string(*parsed.error) + "\n";
      return result;
    }
    translate_into(result, parsed.root, conf_language::nats_server, path);
    result.opts.config_digest = conf_digest(parsed.root);
  }
  result.opts.config_file = path;
  return result;
}

}  // namespace vagus
