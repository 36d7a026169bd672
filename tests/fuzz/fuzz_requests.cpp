#include "actors/jetstream/asset_row.hpp"
#include "actors/jetstream/consumer_requests.hpp"
#include "actors/jetstream/json_fields.hpp"
#include "actors/jetstream/json_scan.hpp"
#include "actors/jetstream/json_text.hpp"
#include "target.hpp"

#include <nlohmann/json.hpp>

using namespace vagus;
using namespace vagus::fuzz;

namespace {

template <class T>
concept is_configuration = std::same_as<T, stream_config> || std::same_as<T, consumer_config>;

template <class T>
concept has_configuration = requires(T x) {
  x.config;
};

/// What is written of a configuration, to a client or to the disk, is what was read.
template <is_configuration T>
void check_written(T config) {
  if constexpr (std::same_as<T, stream_config>)
    if (config.storage == storage_type::unset) config.storage = storage_type::file;
  auto json = to_json(config);
  require(nlohmann::json::accept(json), "a configuration is written as JSON");
  T again;
  require(!read_json(json, true, again), "a written configuration can be read");
  require(again == config, "a configuration is read as it was written");
  require(to_json(again) == json, "a configuration is written as it was read");
  T stored;
  int64_t created_ns = 0;
  auto problem = read_asset_row(write_asset_row(-17, json), stored, created_ns);
  require(problem.empty() && stored == config && created_ns == -17, "a row keeps it");
  require(nlohmann::json::accept(to_json(config, true)), "an answer has it as JSON");
}

template <class T>
void check_request(std::string_view text) {
  T strictly;
  T loosely;
  auto problem = read_json(text, true, strictly);
  auto other = read_json(text, false, loosely);
  for (const auto& error : {problem, other}) {
    if (!error) continue;
    require(error->is(js_errc::invalid_json), "what cannot be read is invalid JSON");
    require(error->description.size() > 14, "errors say why");
    require(nlohmann::json::accept(to_json(*error)), "errors are written as JSON");
  }
  require(problem || !other, "what is read strictly can be read");
  require(!is_empty_request(text) || !problem, "a request that says nothing can be read");
  if constexpr (is_configuration<T>) {
    require(problem || strictly == loosely, "both ways read the same");
    if (!problem) check_written(strictly);
    if (!other) check_written(loosely);
  } else if constexpr (has_configuration<T>) {
    if (!problem) check_written(strictly.config);
  }
}

/// Whether a library that goes by RFC 8259 would have to take all that Go takes. It need not take
/// bytes that are no UTF-8, half surrogates, and numbers with exponents, which may be too large.
bool is_plain(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) >= 0x80 || text[i] == '\\') return false;
    if (i > 0 && (text[i] | 0x20) == 'e' && text[i - 1] >= '0' && text[i - 1] <= '9') return false;
  }
  return text.size() < 300;
}

/// The scanner and a library, for which a zero byte is the end, agree on what JSON is.
void check_scan(std::string_view text) {
  auto from = skip_json_space(text, 0);
  if (from == text.size() || text.find('\0') != text.npos) return;
  auto scanned = scan_json(text, from);
  bool good = scanned.error.empty();
  require(good || scanned.ended_early || scanned.offset > from, "an error has its place");
  require(!good || (scanned.end > from && scanned.end <= text.size()), "a value has its end");
  bool alone = good && skip_json_space(text, scanned.end) == text.size();
  auto value = nlohmann::json::parse(text, nullptr, false);
  require(value.is_discarded() || alone, "JSON is taken");
  if (alone && is_plain(text)) require(!value.is_discarded(), "what is taken is JSON");
  if (!alone) return;
  require(json_source(text).raw() == text.substr(from, scanned.end - from),
          "a value is taken whole");
  if (!value.is_string()) return;
  auto string = json_source(text).text();
  require(string == value.get<std::string>(), "a string is what a library reads");
  auto quoted = go_quoted(string);
  require(json_source(quoted).text() == string, "a string is read as it was written");
}

}  // namespace

/// The whole is the body of a request: of every kind, one after the other.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto text = text_of(data, size);
  check_scan(text);
  check_request<stream_request>(text);
  check_request<stream_config>(text);
  check_request<stream_info_request>(text);
  check_request<stream_names_request>(text);
  check_request<stream_list_request>(text);
  check_request<stream_purge_request>(text);
  check_request<msg_get_request>(text);
  check_request<msg_delete_request>(text);
  check_request<stream_snapshot_request>(text);
  check_request<stream_restore_request>(text);
  check_request<consumer_request>(text);
  check_request<consumer_config>(text);
  check_request<consumers_request>(text);
  check_request<consumer_pause_request>(text);
  consumer_unpin_request unpin;
  auto refused = read_unpin_request(text, unpin);
  require(refused || valid_group_name(unpin.group), "an unpin request names a group");
  auto row = open_asset_row(text);
  require(!row || row->config.size() < text.size(), "a row has its configuration inside");
  return 0;
}
