#pragma once

#include "actors/jetstream/json_fields.hpp"
#include "actors/jetstream/json_scan.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vagus {

/// Reads one good JSON value into a type with `fields`, as Go's encoding/json does: keys in any
/// case, null leaves a member as it is, the last of several equal keys counts. What does not fit
/// makes `error`; reading then ends early. Recurses only as deep as the types do.
class json_reader {
public:
  /// `root` is the peer's name for the type of the whole.
  json_reader(json_source& in, std::string_view root, bool strict)
      : in_{in}, root_{root}, strict_{strict} {}

  std::string error;

  template <class T>
  void object(T& to) {
    if (!fits('{', server_type(peer_type<T>))) return;
    for (in_.enter(); in_.more();) {
      auto name = in_.key();
      finder<T> find{*this, name};
      fields(find, to);
      if (!find.found) unknown(name);
      if (!error.empty()) return;
    }
  }

  void value(std::string& to);
  void value(bool& to);
  void value(int64_t& to) { number(to, "int64"); }
  void value(int32_t& to) { number(to, "int32"); }
  void value(uint64_t& to) { number(to, "uint64"); }
  void value(retention_policy& to);
  void value(discard_policy& to);
  void value(storage_type& to);
  void value(compression_type& to);
  void value(persist_mode_type& to);
  void value(deliver_policy& to);
  void value(ack_policy& to);
  void value(replay_policy& to);
  void value(priority_policy& to);
  void value(consumer_action& to);
  template <class T>
  requires(!peer_type<T>.empty()) void value(T& to) { object(to); }
  template <class T>
  void value(std::optional<T>& to) {
    if (null()) {
      to.reset();
      return;
    }
    if (!to) to.emplace();
    value(*to);
  }
  template <class T>
  void value(std::vector<T>& to);
  template <class T>
  void value(std::map<std::string, T>& to);

  template <class T>
  void number(T& to, std::string_view type);
  void time(std::optional<int64_t>& to);
  void durations(std::vector<int64_t>& to);

private:
  /// The visitor that finds a key among the fields and reads its value.
  template <class T>
  struct finder {
    json_reader& reader;
    std::string_view key;
    bool found = false;

    template <class M>
    void operator()(std::string_view name, M& member, when) {
      if (is(name)) reader.value(member), reader.leave();
    }
    void integer(std::string_view name, int64_t& member, when) {
      if (is(name)) reader.number(member, "int"), reader.leave();
    }
    void duration(std::string_view name, int64_t& member, when) {
      if (is(name)) reader.number(member, "time.Duration"), reader.leave();
    }
    void durations(std::string_view name, std::vector<int64_t>& member, when) {
      if (is(name)) reader.durations(member), reader.leave();
    }
    void time(std::string_view name, std::optional<int64_t>& member, when) {
      if (is(name)) reader.time(member), reader.leave();
    }
    bool is(std::string_view name) {
      if (found || !same_key(key, name)) return false;
      found = true;
      // As the client spelled it, which is how Go names it in errors.
      reader.path_.push_back({std::string{key}, false});
      return true;
    }
  };

  struct step {
    std::string name;
    bool element = false;  ///< of an array
  };

  static bool same_key(std::string_view given, std::string_view lower);
  static std::string server_type(std::string_view name);

  void leave() { path_.pop_back(); }
  /// Takes a null; then true.
  bool null();
  /// Takes a null or a value that starts with anything else than `first`; then false.
  bool fits(char first, std::string_view type);
  void mismatch(std::string_view kind, std::string_view type);
  void unknown(std::string_view name);
  /// An enumeration's text with its quotes; the errors of some end in the text as it is.
  template <class E>
  void choice(E& to, std::initializer_list<std::pair<std::string_view, E>> texts,
              std::string_view problem = {});
  /// So that small elements cannot fill the memory with large structures.
  bool too_many(size_t elements);

  json_source& in_;
  std::string_view root_;
  bool strict_;
  std::vector<step> path_;
};

}  // namespace vagus
