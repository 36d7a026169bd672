#include "actors/jetstream/api_reply.hpp"
#include "actors/jetstream/asset_row.hpp"
#include "actors/jetstream/dead_letter.hpp"
#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/requests.hpp"
#include "actors/jetstream/source_header.hpp"
#include "actors/jetstream/stream.hpp"
#include "actors/jetstream/stream_consumers.hpp"
#include "net/nuid.hpp"
#include "net/subject.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace vagus {

namespace {

constexpr size_t consumer_names_per_page = 1024;
constexpr size_t consumers_per_page = 256;
constexpr size_t ephemeral_name_size = 8;

/// CONSUMER.<verb>.<stream>[.<consumer>...] taken apart.
struct consumer_subject {
  std::string_view verb;
  std::string_view consumer;
};

consumer_subject read_consumer_subject(std::string_view subject) {
  constexpr std::string_view mark = ".API.CONSUMER.";
  auto rest = subject.substr(subject.find(mark) + mark.size());
  consumer_subject s;
  if (rest.starts_with("DURABLE.")) rest.remove_prefix(8);
  token_reader tokens{rest};
  std::string_view stream;
  tokens.next(s.verb);
  tokens.next(stream);
  tokens.next(s.consumer);
  return s;
}

std::string_view consumer_type_of(std::string_view verb) {
  if (verb == "CREATE") return "consumer_create_response";
  if (verb == "NAMES") return "consumer_names_response";
  if (verb == "LIST") return "consumer_list_response";
  if (verb == "INFO") return "consumer_info_response";
  if (verb == "DELETE") return "consumer_delete_response";
  if (verb == "PAUSE") return "consumer_pause_response";
  if (verb == "RESET") return "consumer_reset_response";
  return "consumer_unpin_response";
}

}  // namespace

void stream_consumers::refuse(const stream_call_ptr& call, std::string_view type,
                              const api_error& why) {
  stream_.refuse(call, type, why);
}

void stream_consumers::answer(const stream_call_ptr& call) {
  if (ending_) return;
  auto [verb, name] = read_consumer_subject(call->request.subject);
  if (verb == "CREATE") return answer_create(call);
  if (verb == "NAMES") return answer_names(call);
  if (verb == "LIST") return answer_list(call);
  auto type = consumer_type_of(verb);
  auto at = entries_.find(name);
  if (at == entries_.end()) return refuse(call, type, make_error(js_errc::consumer_not_found));
  auto& e = at->second;
  if (e.busy) return e.hold().waiting.push_back(call);
  if (verb == "DELETE") {
    if (!is_empty_request(call->request.payload))
      return refuse(call, type, make_error(js_errc::not_empty_request));
    e.hold().deletions.push_back(call);
    return remove(at->first, e);
  }
  if (verb == "PAUSE") return answer_pause(call, at->first, e);
  if (verb == "RESET") return answer_reset(call, at->first, e);
  if (verb == "INFO" && !is_empty_request(call->request.payload))
    return refuse(call, type, make_error(js_errc::not_empty_request));
  if (verb == "UNPIN") {
    consumer_unpin_request asked;
    if (auto wrong = read_unpin_request(call->request.payload, asked))
      return refuse(call, type, *wrong);
    const auto& groups = e.config->priority_groups;
    if (std::find(groups.begin(), groups.end(), asked.group) == groups.end())
      return refuse(call, type, make_error(js_errc::consumer_invalid_priority_group));
  }
  auto next = std::make_shared<consumer_call>();
  next->kind = verb == "INFO" ? consumer_call_kind::info : consumer_call_kind::unpin;
  next->request = call->request;
  send(at->first, e, next);
}

// ---- CONSUMER.CREATE ----

/// Of a work queue, where a consumer depends on the others.
std::vector<const consumer_config*> stream_consumers::configs(std::string_view except) const {
  std::vector<const consumer_config*> all;
  if (stream_.config().retention != retention_policy::workqueue) return all;
  for (const auto& [name, e] : entries_)
    if (name != except && !e.config->direct) all.push_back(e.config.get());
  return all;
}

void stream_consumers::answer_create(const stream_call_ptr& call) {
  constexpr std::string_view type = "consumer_create_response";
  auto asked = *call->consumer;
  auto& c = asked.config;
  if (c.name.empty()) c.name = c.durable_name;
  auto at = entries_.find(c.name);
  if (!c.name.empty() && at != entries_.end()) {
    if (at->second.busy) return at->second.hold().waiting.push_back(call);
    // Only CONSUMER.PAUSE changes it.
    c.pause_until = at->second.config->pause_until;
    if (auto wrong =
            check_consumer_config(c, stream_.config(), stream_.consumer_limits(), asked.pedantic))
      return refuse(call, type, *wrong);
    if (auto wrong = check_dead_letter(c, stream_.config())) return refuse(call, type, *wrong);
    return update(call, std::move(asked), at->second);
  }
  if (auto wrong =
          check_consumer_config(c, stream_.config(), stream_.consumer_limits(), asked.pedantic))
    return refuse(call, type, *wrong);
  if (auto wrong = check_dead_letter(c, stream_.config())) return refuse(call, type, *wrong);
  if (auto wrong = check_identity(*call)) return refuse(call, type, *wrong);
  auto others = configs({});
  if (auto wrong = check_new_consumer(c, stream_.config(), stream_.consumer_limits(), asked.action,
                                      {entries_.size() - direct_, others}))
    return refuse(call, type, *wrong);
  create(call, std::move(asked));
}

std::string stream_consumers::identity() const {
  return stream_identity(stream_.name_, stream_.record_->created_ns);
}

/// A stream that copies this one may have copied another of this name before.
std::optional<api_error> stream_consumers::check_identity(const stream_call& call) const {
  if (!call.consumer->config.direct) return std::nullopt;
  auto expected = find_header(call.request.headers, stream_identity_header);
  if (expected.empty() || expected == identity()) return std::nullopt;
  return make_error(js_errc::consumer_stream_identity_mismatch, identity());
}

void stream_consumers::create(const stream_call_ptr& call, consumer_request asked) {
  constexpr std::string_view type = "consumer_create_response";
  auto name = asked.config.name;
  while (name.empty() || (asked.config.name.empty() && entries_.contains(name)))
    name = make_nuid().substr(0, ephemeral_name_size);
  auto snapshot = stream_.store_->read();
  auto place =
      snapshot ? first_place(asked.config, stream_.config().max_msgs_per_subject == 1, **snapshot)
               : store_result<consumer_place>{snapshot.error()};
  if (!place) return refuse(call, type, make_error(js_errc::consumer_create, place.error().text));
  snapshot = store_error{};
  bool limits = stream_.config().retention == retention_policy::limits;
  auto& e = entries_[name];
  e.created_ns = stream_.now_ns();
  e.config = std::make_shared<const consumer_config>(std::move(asked.config));
  if (e.config->direct) ++direct_;
  note_count();
  consumer_ledger ledger{rules_of(*e.config, limits), place->next_seq, place->last_of_each};
  auto creation = std::make_shared<consumer_call>();
  creation->kind = consumer_call_kind::create;
  creation->request = call->request;
  if (e.config->direct)
    creation->reply_headers =
        fmt::format("NATS/1.0\r\n{}: {}\r\n\r\n", stream_identity_header, identity());
  if (e.config->mem_storage) {
    return note_made(name, std::move(ledger), creation);
  }
  substitute(name, e, e.config->may_rest());
  stream_.client_.send_changes();
  auto state = consumer_ledger{ledger}.take_row();
  auto& batch = stream_.open_batch();
  auto row = write_asset_row(e.created_ns, to_json(*e.config));
  auto state_name = ledger_row_name(name, state->slot);
  batch.proposals.add(consumer_put_proposal{state_name, state->bytes});
  batch.expect([=, this, ledger = std::move(ledger)](const outcome& o) {
    if (o.error == store_errc::none) return note_made(name, ledger, creation);
    auto& failed = entries_.at(name);
    substitute(name, failed, false);
    stream_.client_.send_changes();
    if (failed.config->direct) --direct_;
    auto waiting = std::move(failed.hold().waiting);
    entries_.erase(name);
    note_count();
    refuse(call, type, error_of(stream_.why_refused({o.error, 0, {}})));
    for (const auto& next : waiting) answer(next);
  });
  batch.proposals.add(consumer_put_proposal{name, row});
}

/// Whoever created it is told so once it can be reached.
void stream_consumers::note_made(const std::string& consumer, consumer_ledger ledger,
                                 consumer_call_ptr creation) {
  auto& e = entries_.at(consumer);
  e.made = true;
  admit(consumer, e, ledger);
  when_applied([=, this, ledger = std::move(ledger)] {
    if (ending_) return;
    start(consumer, entries_.at(consumer), ledger, creation);
    finish(consumer);
  });
}

void stream_consumers::update(const stream_call_ptr& call, consumer_request asked, entry& e) {
  constexpr std::string_view type = "consumer_create_response";
  auto name = asked.config.name;
  bool bound = false;
  if (e.config->push()) bound = publishing{stream_.context_}.is_wanted(e.config->deliver_subject);
  auto others = configs(name);
  if (auto wrong = check_consumer_update(*e.config, asked.config, stream_.config(), asked.action,
                                         {entries_.size() - direct_, others}, bound))
    return refuse(call, type, *wrong);
  if (asked.config == *e.config) {
    auto next = std::make_shared<consumer_call>();
    next->kind = consumer_call_kind::update;
    next->request = call->request;
    next->config = e.config;
    return send(name, e, next);
  }
  change(call, name, e, std::make_shared<const consumer_config>(std::move(asked.config)),
         consumer_call_kind::update);
}

void stream_consumers::answer_pause(const stream_call_ptr& call, const std::string& consumer,
                                    entry& e) {
  consumer_pause_request asked;
  if (is_json_body(call->request.payload))
    if (auto wrong = read_json(call->request.payload, stream_.js_.strict, asked))
      return refuse(call, "consumer_pause_response", *wrong);
  auto next = std::make_shared<consumer_config>(*e.config);
  set_pause(*next, asked.pause_until);
  change(call, consumer, e, std::move(next), consumer_call_kind::pause);
}

void stream_consumers::answer_reset(const stream_call_ptr& call, const std::string& consumer,
                                    entry& e) {
  constexpr std::string_view type = "consumer_reset_response";
  consumer_reset_request asked;
  if (auto wrong = read_reset_request(call->request.payload, asked))
    return refuse(call, type, *wrong);
  if (auto wrong = check_reset(*e.config, asked.seq)) return refuse(call, type, *wrong);
  auto next = std::make_shared<consumer_call>();
  next->kind = consumer_call_kind::reset;
  next->request = call->request;
  next->seq = asked.seq;
  send(consumer, e, next);
}

/// Behind its acknowledgements any consumer may begin anew; elsewhere only one that could have
/// begun there.
std::optional<api_error> stream_consumers::check_reset(const consumer_config& config,
                                                       uint64_t seq) const {
  auto refused = [](std::string_view why) {
    return make_error(js_errc::consumer_invalid_reset, why);
  };
  if (seq == 0 || config.deliver_policy == deliver_policy::all) return std::nullopt;
  if (config.deliver_policy == deliver_policy::by_start_sequence) {
    if (seq < config.opt_start_seq) return refused("below start seq");
    return std::nullopt;
  }
  if (config.deliver_policy != deliver_policy::by_start_time) return refused("not allowed");
  auto snapshot = stream_.store_->read();
  auto place = snapshot ? first_place(config, false, **snapshot)
                        : store_result<consumer_place>{snapshot.error()};
  if (!place) return refused(place.error().text);
  if (seq < place->next_seq) return refused("below start time");
  return std::nullopt;
}

/// Another configuration: first on the disk, then in force.
void stream_consumers::change(const stream_call_ptr& call, const std::string& consumer, entry& e,
                              consumer_config_ptr next, consumer_call_kind kind) {
  auto done = [=, this](const outcome& o) {
    auto& changed = entries_.at(consumer);
    if (o.error != store_errc::none) {
      refuse(call, consumer_type_of(kind == consumer_call_kind::pause ? "PAUSE" : "CREATE"),
             error_of(stream_.why_refused({o.error, 0, {}})));
      return finish(consumer);
    }
    if (changed.config->filters() != next->filters()) {
      stream_.interest_.set_filters(consumer, next->filters());
      stream_.sweep_after_commit(stream_.interest_.floor_of(consumer) + 1);
    }
    changed.config = next;
    auto message = std::make_shared<consumer_call>();
    message->kind = kind;
    message->request = call->request;
    message->config = next;
    substitute(consumer, changed, next->may_rest());
    stream_.client_.send_changes();
    when_applied([=, this] {
      if (ending_) return;
      send(consumer, entries_.at(consumer), message);
      finish(consumer);
    });
  };
  if (next->mem_storage) return done({});
  e.busy = true;
  auto row = write_asset_row(e.created_ns, to_json(*next));
  auto& batch = stream_.open_batch();
  batch.expect(done);
  batch.proposals.add(consumer_put_proposal{consumer, row});
}

// ---- CONSUMER.NAMES and CONSUMER.LIST ----

void stream_consumers::answer_names(const stream_call_ptr& call) {
  constexpr std::string_view type = "consumer_names_response";
  consumers_request asked;
  if (is_json_body(call->request.payload))
    if (auto wrong = read_json(call->request.payload, stream_.js_.strict, asked))
      return refuse(call, type, *wrong);
  auto offset = std::min(static_cast<size_t>(std::max<int64_t>(asked.offset, 0)), entries_.size());
  std::string names;
  size_t n = 0;
  for (const auto& [name, e] : entries_) {
    if (n++ < offset) continue;
    if (n > offset + consumer_names_per_page) break;
    if (!names.empty()) names += ',';
    names += go_quoted(name);
  }
  stream_.respond(call, fmt::format(R"({},"total":{},"offset":{},"limit":{},"consumers":[{}]}})",
                                    api_reply_start(type), entries_.size(), offset,
                                    consumer_names_per_page, names));
}

void stream_consumers::answer_list(const stream_call_ptr& call) {
  constexpr std::string_view type = "consumer_list_response";
  consumers_request asked;
  if (is_json_body(call->request.payload))
    if (auto wrong = read_json(call->request.payload, stream_.js_.strict, asked))
      return refuse(call, type, *wrong);
  auto offset = std::min(static_cast<size_t>(std::max<int64_t>(asked.offset, 0)), entries_.size());
  std::vector<std::pair<const std::string*, entry*>> page;
  size_t n = 0;
  for (auto& [name, e] : entries_) {
    if (n++ < offset) continue;
    if (page.size() == consumers_per_page) break;
    if (e.made && !e.leaving && (e.actor || wake(name, e))) page.push_back({&name, &e});
  }
  auto listing = std::make_shared<consumer_listing>();
  listing->head = fmt::format(R"({},"total":{},"offset":{},"limit":{},"consumers":[)",
                              api_reply_start(type), entries_.size(), offset, consumers_per_page);
  if (page.empty()) return stream_.respond(call, listing->head + "]}");
  listing->items.resize(page.size());
  listing->missing = page.size();
  for (size_t i = 0; i < page.size(); ++i) {
    auto part = std::make_shared<consumer_call>();
    part->kind = consumer_call_kind::list;
    part->request = call->request;
    part->listing = listing;
    part->item = i;
    send(*page[i].first, *page[i].second, part);
  }
}

}  // namespace vagus
