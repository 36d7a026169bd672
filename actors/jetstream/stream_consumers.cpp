#include "actors/jetstream/stream_consumers.hpp"

#include "actors/jetstream/advisories.hpp"
#include "actors/jetstream/api_reply.hpp"
#include "actors/jetstream/asset_row.hpp"
#include "actors/jetstream/consumer_check.hpp"
#include "actors/jetstream/requests.hpp"
#include "actors/jetstream/stream.hpp"
#include "actors/pinned_actor.hpp"
#include "net/log.hpp"

#include <caf/send.hpp>

namespace vagus {

// ---- the rows ----

namespace {

/// The rows of a consumer's state by their slots. A slot that is not there ends them.
std::vector<std::string> read_state_rows(store_snapshot& in, std::string_view consumer) {
  std::vector<std::string> rows;
  for (int slot = 0; slot < 256; ++slot) {
    auto row = in.consumer(ledger_row_name(consumer, static_cast<uint8_t>(slot)));
    if (!row || !*row) break;
    rows.push_back(std::move(**row));
  }
  return rows;
}

}  // namespace

std::optional<consumer_ledger> stream_consumers::read_ledger(store_snapshot& in,
                                                             const std::string& consumer,
                                                             const consumer_config& config,
                                                             uint8_t* slots) const {
  auto rows = read_state_rows(in, consumer);
  if (slots != nullptr) *slots = static_cast<uint8_t>(rows.empty() ? 0 : rows.size() - 1);
  std::vector<std::string_view> views{rows.begin(), rows.end()};
  auto rules = rules_of(config, stream_.config().retention == retention_policy::limits);
  return consumer_ledger::restore(rules, views);
}

std::vector<std::string> stream_consumers::recover(store_snapshot& in) {
  std::vector<std::string> wrong;
  std::string after;
  for (bool more = true; more;) {
    auto names = in.consumers(after, 4096);
    if (!names) {
      wrong.push_back(names.error().text);
      break;
    }
    more = names->size() == 4096;
    for (const auto& name : *names) {
      after = name;
      if (name.find('.') != std::string::npos) continue;
      entry e;
      consumer_config config;
      auto row = in.consumer(name);
      auto problem = row && *row ? read_asset_row(**row, config, e.created_ns) : "it is damaged";
      if (problem.empty())
        if (auto error = check_stored_consumer(config, name)) problem = error->description;
      auto ledger = read_ledger(in, name, config, &e.slots);
      if (problem.empty() && !ledger) problem = "its state is not readable";
      if (!problem.empty()) {
        wrong.push_back(fmt::format("consumer '{}': {}", name, problem));
        continue;
      }
      e.config = std::make_shared<const consumer_config>(std::move(config));
      e.made = true;
      e.busy = false;
      auto& placed = entries_.emplace(name, std::move(e)).first->second;
      if (placed.config->direct) ++direct_;
      admit(name, placed, *ledger);
      bool rests = placed.config->may_rest();
      substitute(name, placed, rests);
      if (rests && ledger->num_ack_pending() == 0) continue;
      placed.starting = true;
      ++starting_;
      start(name, placed, std::move(*ledger), nullptr);
    }
  }
  stream_.client_.send_changes();
  recovered_ = stream_.client_.asked();
  note_count();
  return wrong;
}

// ---- their life ----

/// From now on the stream keeps what it needs.
void stream_consumers::admit(const std::string& consumer, const entry& e,
                             const consumer_ledger& ledger) {
  if (stream_.config().retention == retention_policy::interest)
    stream_.interest_.add(consumer, e.config->filters(), ledger.state());
}

/// Consumers are dealt out to the event loops in turn.
void stream_consumers::start(const std::string& consumer, entry& e, consumer_ledger ledger,
                             consumer_call_ptr creation) {
  auto& s = stream_;
  auto& context = *s.js_.loops[next_loop_++ % s.js_.loops.size()];
  consumer_start how{s.name_,
                     consumer,
                     e.config,
                     e.created_ns,
                     s.record_,
                     s.config().retention,
                     s.store_,
                     stream_actor{s.self_},
                     std::move(ledger),
                     creation != nullptr,
                     std::move(creation)};
  ++running_;
  e.actor = spawn_pinned<consumer_state>(s.self_->system(), context.loop, std::ref(context),
                                         std::ref(s.js_), std::move(how));
}

void stream_consumers::note_ready(const std::string& consumer) {
  auto at = entries_.find(consumer);
  if (at == entries_.end()) return;
  if (std::exchange(at->second.starting, false)) --starting_;
}

/// It is busy no longer: what was asked of it meanwhile has its turn.
void stream_consumers::finish(const std::string& consumer) {
  auto at = entries_.find(consumer);
  if (at == entries_.end()) return;
  auto& e = at->second;
  e.busy = false;
  if (e.kept) {
    auto waiting = std::exchange(e.kept->waiting, {});
    for (const auto& call : waiting) answer(call);
  }
  at = entries_.find(consumer);  // they may have removed it
  if (at != entries_.end() && at->second.wants_rest && !at->second.busy) let_rest(consumer);
}

void stream_consumers::remove(const std::string& consumer, entry& e) {
  e.busy = e.leaving = true;
  substitute(consumer, e, false);
  stream_.client_.send_changes();
  if (e.actor) return caf::anon_send(e.actor, remove_atom::value);
  remove_rows(consumer, e);
}

void stream_consumers::note_expired(const std::string& consumer) {
  auto at = entries_.find(consumer);
  if (at == entries_.end() || at->second.busy) return;
  remove(consumer, at->second);
}

/// Its actor has nothing more to commit: the rows can go.
void stream_consumers::note_ended(const std::string& consumer) {
  --running_;
  auto at = entries_.find(consumer);
  if (at != entries_.end()) {
    unfollow(at->second);
    at->second.actor = nullptr;
  }
  if (ending_ || at == entries_.end()) return stream_.close_if_done();
  auto& e = at->second;
  if (std::exchange(e.starting, false)) --starting_;
  if (e.config->mem_storage) return erase(consumer);
  remove_rows(consumer, e);
}

void stream_consumers::remove_rows(const std::string& consumer, const entry& e) {
  auto& batch = stream_.open_batch();
  for (int slot = 0; slot <= e.slots; ++slot)
    batch.proposals.add(
        consumer_delete_proposal{ledger_row_name(consumer, static_cast<uint8_t>(slot))});
  batch.expect([this, consumer](const outcome& o) {
    if (o.error != store_errc::none)
      log_error("JetStream consumer '{} > {}' is gone, but its rows could not be removed: {}",
                stream_.name_, consumer, to_text(o.error));
    erase(consumer);
  });
  batch.proposals.add(consumer_delete_proposal{consumer});
}

void stream_consumers::erase(const std::string& consumer) {
  auto at = entries_.find(consumer);
  if (at->second.config->direct) --direct_;
  held kept;
  if (at->second.kept) kept = std::move(*at->second.kept);
  entries_.erase(at);
  note_count();
  auto floor = stream_.interest_.floor_of(consumer);
  stream_.interest_.remove(consumer);
  stream_.sweep(floor + 1);
  advisories{stream_.context_, stream_.js_}.consumer_action("DELETED", "delete", stream_.name_,
                                                            consumer, stream_.now_ns());
  auto tell = [this, deletions = std::move(kept.deletions)] {
    for (const auto& call : deletions)
      stream_.respond(call, api_success_reply("consumer_delete_response"));
  };
  if (stream_.config().retention == retention_policy::interest)
    stream_.open_batch().expect_end(std::move(tell));  // what only it needed is gone by then
  else
    tell();
  for (const auto& call : kept.waiting) answer(call);
}

void stream_consumers::end(bool removed) {
  ending_ = true;
  for (auto& [name, e] : entries_) {
    if (!e.made) continue;
    if (removed)
      advisories{stream_.context_, stream_.js_}.consumer_action("DELETED", "delete", stream_.name_,
                                                                name, stream_.now_ns());
    if (!e.actor) continue;
    if (removed)
      caf::anon_send(e.actor, remove_atom::value);
    else
      caf::anon_send(e.actor, end_atom::value);
  }
}

void stream_consumers::note_count() {
  stream_.record_->put_consumers(entries_.size());
}

// ---- what they commit, what they are told ----

void stream_consumers::commit(const consumer_change_ptr& change) {
  auto& batch = stream_.open_batch();
  auto at = entries_.find(change->consumer);
  if (change->state && at != entries_.end()) note_state(at->first, at->second, *change->state);
  stream_.release_messages(*change, batch);
  std::string row_name;
  if (change->row) {
    row_name = ledger_row_name(change->consumer, change->row->slot);
    if (at != entries_.end()) at->second.slots = std::max(at->second.slots, change->row->slot);
  }
  auto tell = [this, change](bool stored) {
    auto to = entries_.find(change->consumer);
    if (to != entries_.end() && to->second.actor)
      caf::anon_send(to->second.actor, stored_atom::value, change, stored);
  };
  if (change->row) {
    batch.expect([tell](const outcome& o) { tell(o.error == store_errc::none); });
    batch.proposals.add(consumer_put_proposal{row_name, change->row->bytes});
  } else {
    batch.expect_end([tell] { tell(true); });
  }
}

/// Until a consumer has told what it is done with it needs everything.
void stream_consumers::change_retention() {
  auto retention = stream_.config().retention;
  stream_.interest_ = {};
  for (auto& [name, e] : entries_) {
    if (!e.made || e.leaving) continue;
    if (retention == retention_policy::interest)
      stream_.interest_.add(name, e.config->filters(), {});
    auto call = std::make_shared<consumer_call>();
    call->kind = consumer_call_kind::retention;
    call->retention = retention;
    send(name, e, call);
  }
  stream_.sweep_after_commit(1);
}

void stream_consumers::note_state(const std::string& consumer, const entry& e,
                                  const ledger_state& state) {
  if (stream_.config().retention != retention_policy::interest || e.leaving) return;
  stream_.interest_.add(consumer, e.config->filters(), state);
  stream_.sweep_after_commit(1);
}

void stream_consumers::follow(const std::string& consumer, bool follow) {
  auto at = entries_.find(consumer);
  if (at == entries_.end() || !at->second.actor) return;
  auto& e = at->second;
  if (!follow) return unfollow(e);
  if (!std::exchange(e.following, true)) followers_.push_back(&e);
  caf::anon_send(e.actor, following_atom::value);
}

void stream_consumers::unfollow(entry& e) {
  if (std::exchange(e.following, false)) std::erase(followers_, &e);
}

void stream_consumers::tell(const stream_batch_ptr& batch) {
  for (const auto* e : followers_) caf::anon_send(e->actor, news_atom::value, batch);
}

}  // namespace vagus
