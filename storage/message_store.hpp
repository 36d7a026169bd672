#pragma once

#include "storage/packing.hpp"
#include "storage/tables.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace vagus {

/// One committed state of a store, unchanged for as long as it is held. Belongs to one thread at a
/// time. Hold it for one run of work, not longer: it pins what it shows, and the thread that holds
/// it must not ask for a second one. All views end with it; those of a message's headers and
/// payload end when the next message is opened: what is packed on the disk is unpacked into the
/// same memory, which is as large as the largest message so far.
class store_snapshot {
public:
  virtual ~store_snapshot() = default;

  const store_meta& meta() const { return meta_; }
  const store_state& state() const { return meta_.state; }

  /// The caller's own part of the configuration.
  virtual store_result<std::string> config() = 0;

  /// `no_message` if it is not there, `corrupt` if it is not what was stored. Its headers and
  /// payload are there until another message is opened.
  store_result<stored_message> message(uint64_t seq) { return opened(seq, &store_snapshot::find); }

  /// The same without headers and payload: all that there is to do for who wants none of them.
  store_result<stored_head> head(uint64_t seq);
  /// The message to a head of this snapshot; as `message`.
  store_result<stored_message> open(const stored_head& head) {
    return head.packed ? unpack(head) : with_body(head, head.body);
  }

  /// The sequence of the first message at or after `seq`; 0: none.
  virtual store_result<uint64_t> first_at_or_after(uint64_t seq) = 0;

  /// The first message at or after `seq`; `no_message`: there is none. Asked for in order, this is
  /// a walk: cheaper than to look each one up.
  store_result<stored_message> next_message(uint64_t seq) {
    return opened(seq, &store_snapshot::find_next);
  }
  /// The same without headers and payload, to walk on where they are not wanted.
  store_result<stored_head> next_head(uint64_t seq);

  /// Sequences at or after `from` whose subject matches, ascending. There may be fewer than
  /// `at_most` although more follow; none means that none follow.
  virtual store_result<std::vector<uint64_t>> next(std::string_view filter, uint64_t from,
                                                   size_t at_most) = 0;

  /// The last sequence whose subject matches; 0: none.
  virtual store_result<uint64_t> last(std::string_view filter) = 0;

  /// How many messages at or after `from` match.
  virtual store_result<uint64_t> count(std::string_view filter, uint64_t from = 0) = 0;

  /// Matching subjects after `after` (empty: from the start) in the store's order, with their
  /// counts. Fewer than `at_most`: that was all.
  virtual store_result<std::vector<subject_count>> subjects(std::string_view filter,
                                                            std::string_view after,
                                                            size_t at_most) = 0;

  /// For each matching subject its last sequence at or before `up_to` (0: no bound), ascending.
  virtual store_result<std::vector<uint64_t>> last_per_subject(std::string_view filter,
                                                               uint64_t up_to) = 0;

  virtual store_result<std::optional<std::string>> consumer(std::string_view name) = 0;
  /// Names after `after`, in order.
  virtual store_result<std::vector<std::string>> consumers(std::string_view after,
                                                           size_t at_most) = 0;

  /// The first message that is not older than `time_ns`; 0: none. A binary search.
  store_result<uint64_t> seq_at_time(int64_t time_ns);

  /// Runs of deleted sequences between `from` and the last one, up to `at_most` of them.
  store_result<std::vector<seq_range>> deleted(uint64_t from, size_t at_most);

protected:
  /// What `head` and `next_head` answer; false: with an error.
  virtual bool find(uint64_t seq, stored_head& head, store_error& error) = 0;
  virtual bool find_next(uint64_t seq, stored_head& head, store_error& error);

  store_meta meta_;

private:
  using finder = bool (store_snapshot::*)(uint64_t, stored_head&, store_error&);
  store_result<stored_message> opened(uint64_t seq, finder how) {
    stored_head head;
    store_error error;
    if (!(this->*how)(seq, head, error)) return error;
    return open(head);
  }
  store_result<stored_message> unpack(const stored_head& head);

  body_opener opener_;
};

/// The store of one stream.
class message_store {
public:
  virtual ~message_store() = default;

  /// Applies a batch, all of it or nothing. When it answers, the batch is as durable as the store
  /// is; until then readers see nothing of it. One thread at a time, whichever; may block on a
  /// disk.
  virtual applied append(std::string_view batch) = 0;

  /// What has been applied. Any thread, also during `append`. May wait for a commit of several
  /// batches (`commit_together`), but for no sync of the disk that is not at hand.
  virtual store_result<std::unique_ptr<store_snapshot>> read() = 0;

  /// While nobody reads, several batches may be committed as one, which costs less: each is as
  /// durable when `append` answers, and who reads waits until they are committed. `commit_soon` is
  /// called for that, by any thread, and has the thread of `append` call `commit`. From the first
  /// call on `append`, `commit` and `retry` stay on one thread, and `commit` comes last.
  virtual void commit_together(std::function<void()> commit_soon) { (void)commit_soon; }
  /// Commits what was appended.
  virtual store_error commit() { return {}; }
  /// Something was appended and is not committed. Any thread.
  virtual bool uncommitted() const { return false; }

  /// Why `append` refuses, if it does.
  virtual store_error stopped() const = 0;

  /// Tries to write again after an error. No other thread may be in `append`.
  virtual store_error retry() = 0;

  /// Makes durable what was appended, where `append` does not. As `append` in its threads.
  virtual store_error sync() = 0;
};

}  // namespace vagus
