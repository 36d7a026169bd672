#pragma once

#include "storage/lmdb_log.hpp"
#include "storage/lmdb_store.hpp"
#include "storage/lmdb_tables.hpp"
#include "storage/writer_lock.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <optional>
#include <thread>

namespace vagus {

/// lmdb_store with what its header hides: only files named lmdb* see LMDB.
class lmdb_store_impl final : public lmdb_store {
public:
  lmdb_store_impl(std::filesystem::path directory, lmdb_store_options options);
  ~lmdb_store_impl() override;

  /// Throws `store_failure`.
  void open(std::string_view stream);

  applied append(std::string_view batch) override;
  store_result<std::unique_ptr<store_snapshot>> read() override;
  store_error stopped() const override;
  store_error retry() override;
  store_error sync() override;
  void commit_together(std::function<void()> commit_soon) override;
  store_error commit() override;
  bool uncommitted() const override { return uncommitted_.load() > 0; }
  const std::string& stream() const override { return stream_; }
  sizes size() const override;
  store_error copy(const std::filesystem::path& directory, bool compact,
                   const progress& report) override;
  std::vector<store_error> verify(size_t most, const progress& report,
                                  packed_share* packed) override;

private:
  void prepare_directory(std::string_view stream);
  bool is_new();
  void forget_unfinished();
  void make_new(std::string_view stream);
  applied append_growing(std::string_view batch, store_error& error);
  applied try_append(std::string_view batch);
  /// Runs `f` in the open write transaction, or a new one.
  void change(const std::function<void()>& f);
  void commit_open();
  void abandon_open();
  void note_committed();
  bool alone() const;
  bool has_room() const;
  void note_applied(size_t batch);
  bool reapply(store_error& error);
  void wait_until_committed();

  /// A batch in the log that is taken out again unless it is kept.
  class logged_batch {
  public:
    logged_batch(lmdb_store_impl& store, std::string_view batch, bool checkpoint);
    ~logged_batch();
    logged_batch(const logged_batch&) = delete;
    void settle();
    void keep() { there_ = false; }

  private:
    void undo();

    lmdb_store_impl& store_;
    bool there_ = false;
  };

  std::vector<write_log::record> restore();
  void start_log(const std::vector<write_log::record>& batches);
  void replay(const write_log::record& batch);
  void check_readable() const;
  void load();
  void upgrade();
  bool recover(size_t batch, store_error& error);
  void keep_spare(size_t batch);
  void stop(const store_error& error);

  std::filesystem::path directory_;
  lmdb_store_options options_;
  std::string stream_;
  uint32_t version_ = 0;  ///< of its format, as found
  writer_lock lock_;
  lmdb_env env_;
  std::unique_ptr<lmdb_log> log_;  ///< none where commits are not synced
  bool log_failed_ = false;
  bool opened_ = false;  ///< all of it: else there is nothing to bring to an end

  // Several batches in one transaction (lmdb_store_commit.cpp)
  std::optional<lmdb_write> open_;  ///< belongs to the thread of `append`
  size_t open_bytes_ = 0;
  std::atomic<size_t> uncommitted_{0};  ///< batches in it
  std::atomic<std::thread::id> writer_{};
  std::atomic<uint32_t> read_lately_{0};  ///< that many batches more are committed each by itself
  std::function<void()> commit_soon_;
  std::mutex commit_mutex_;
  std::condition_variable committed_;

  std::unique_ptr<lmdb_tables> rows_;
  mutable std::mutex stop_mutex_;
  store_error stopped_;
};

/// A snapshot of the environment; `rows` has the overlay.
std::unique_ptr<store_snapshot> make_snapshot(lmdb_env& env, const lmdb_tables& rows,
                                              const std::string& stream);

/// The same where another process writes: the snapshot reads an overlay of its own.
std::unique_ptr<store_snapshot> make_snapshot_alone(lmdb_env& env,
                                                    const lmdb_store_options& options,
                                                    const std::string& stream);

}  // namespace vagus
