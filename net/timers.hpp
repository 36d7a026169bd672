#pragma once

#include <boost/intrusive/set.hpp>

#include <chrono>
#include <functional>

namespace vagus {

/// Something that wants to be woken at a time. Leaves its timers when it is destroyed.
class timed : public boost::intrusive::set_base_hook<
                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Its time has come (or is a little past); it is in no timers now and may be scheduled again.
  virtual void on_time(time_point now) = 0;

  time_point due() const { return due_; }
  friend bool operator<(const timed& a, const timed& b) { return a.due_ < b.due_; }

protected:
  ~timed() = default;

private:
  friend class timers;
  time_point due_;
};

/// The deadlines of one event loop, by time. The clock is the caller's: nothing here reads one.
class timers {
public:
  /// Wakes `what` at `when`, and no longer at an earlier time given before.
  void schedule(timed& what, timed::time_point when) {
    cancel(what);
    what.due_ = when;
    queue_.insert(what);
    if (when < expected_) earlier_(when);
  }

  void cancel(timed& what) { what.unlink(); }

  /// Wakes all whose time has come.
  void fire(timed::time_point now) {
    while (!queue_.empty() && queue_.begin()->due_ <= now) {
      auto& next = *queue_.begin();
      next.unlink();
      next.on_time(now);
    }
  }

  bool empty() const { return queue_.empty(); }

  /// When the first is due; max: there is none.
  timed::time_point first() const {
    return queue_.empty() ? timed::time_point::max() : queue_.begin()->due_;
  }

  /// `fire` will be called at `when`. `earlier` is told of everything that is due before that.
  void expect(timed::time_point when, std::function<void(timed::time_point)> earlier) {
    expected_ = when;
    earlier_ = std::move(earlier);
  }
  void expect(timed::time_point when) { expected_ = when; }

private:
  timed::time_point expected_ = timed::time_point::min();
  std::function<void(timed::time_point)> earlier_;
  boost::intrusive::multiset<timed, boost::intrusive::constant_time_size<false>> queue_;
};

}  // namespace vagus
