#include "actors/monitor/monitor.hpp"

#include "actors/monitor/healthz.hpp"
#include "actors/supervision.hpp"
#include "net/log.hpp"
#include "net/options/version.hpp"

#include <caf/actor_cast.hpp>

#include <exception>

namespace vagus {

namespace {

using namespace std::chrono_literals;

/// How long the server and a connection may take to answer.
constexpr auto patience = 5s;
/// How long an answer may take to be written as JSON.
constexpr auto render_patience = 30s;
/// Connections that are asked at the same time.
constexpr size_t window = 64;
/// Subscriptions in one answer, whatever its limit.
constexpr size_t most_listed = 1'000'000;

http_answer json(std::string body) {
  return {200, "application/json", std::move(body), true};
}

http_answer bad_request(const parameters& query) {
  return {.status = 400, .body = query.error()};
}

http_answer not_found() {
  return {.status = 404, .body = "404 page not found\n"};
}

http_answer overloaded() {
  return {.status = 503, .body = "the server is shutting down or overloaded\n"};
}

/// "/a/b" of "a//b/": what paths start with; empty for none.
std::string normalized(const std::string& base_path) {
  std::string out;
  for (size_t at = 0; at < base_path.size();) {
    auto end = std::min(base_path.find('/', at), base_path.size());
    if (end > at) out.append("/").append(base_path, at, end - at);
    at = end + 1;
  }
  return out;
}

}  // namespace

monitor_state::monitor_state(handle::pointer self, monitor_surroundings around)
    : self_{self},
      around_{std::move(around)},
      // With a thread of its own: else it would run where it is sent its jobs, on our loop.
      renderer_{self->system().spawn<caf::detached>(renderer)},
      http_port_{around_.http->port()},
      base_path_{normalized(current()->opts.http_base_path)},
      http_{around_.contexts.front()->loop, std::move(around_.http)} {}

monitor_actor::behavior_type monitor_state::behavior() {
  supervise(self_);
  http_.start([this](std::string_view target, const respond& to) { on_request(target, to); });
  return {
      [this](end_atom) {
        http_.stop();
        self_->send(renderer_, end_atom::value);
        self_->quit();
      },
  };
}

/// Called from the loop, not in the actor's turn: it only sends and requests.
void monitor_state::on_request(std::string_view target, const respond& to) {
  auto [path, query_text] = split(target);
  if (path == (base_path_.empty() ? "/" : base_path_)) {
    index(to);
    return;
  }
  bool below = path.compare(0, base_path_.size(), base_path_) == 0;
  auto endpoint = below ? path.substr(base_path_.size()) : std::string{};
  parameters query{query_text};
  if (endpoint == "/varz") {
    varz(to);
  } else if (endpoint == "/connz") {
    connz(query, to);
  } else if (endpoint == "/subsz" || endpoint == "/subscriptionsz") {
    subsz(query, to);
  } else if (endpoint == "/jsz") {
    jsz(query, to);
  } else if (endpoint == "/healthz") {
    ++requests_["/healthz"];
    // Only who asks for a stream makes it worth while to look at them all.
    auto js = query_text.empty() ? nullptr : look_at(around_.jetstream, current()->opts);
    to(healthz(query, around_.counters.accepting, js.get()));
  } else {
    to(not_found());
  }
}

// ---- answering ----

void monitor_state::answer(const respond& to, std::function<std::string()> make) {
  self_
      ->request(renderer_, render_patience, render_atom::value,
                std::make_shared<render_job>(render_job{std::move(make), {}}))
      .then(
          [to](const render_job_ptr& job) {
            to(job->run ? overloaded() : json(std::move(job->result)));
          },
          [to](const caf::error&) { to(overloaded()); });
}

renderer_actor::behavior_type renderer(renderer_actor::pointer self) {
  return {
      [](render_atom, const render_job_ptr& job) {
        try {
          job->result = job->run();
          job->run = nullptr;  // what it holds may be large
        } catch (const std::exception& e) {
          log_error("monitoring: an answer failed: {}", e.what());
        }
        return job;
      },
      [self](end_atom) { self->quit(); },
  };
}

// ---- asking ----

void monitor_state::with_connections(const respond& to,
                                     std::function<void(connections_view_ptr)> use) {
  self_->request(around_.server, patience, connz_atom::value)
      .then([use = std::move(use)](const connections_view_ptr& view) { use(view); },
            [to](const caf::error&) { to(overloaded()); });
}

void monitor_state::gather(const std::shared_ptr<gathering>& g) {
  const auto& of = g->result.of;
  g->result.found.resize(of.size());
  while (g->asked < of.size() && g->waiting_for < window) {
    auto i = g->asked++;
    if (!of[i]->ended && of[i]->subscriptions > 0) ask(g, i);
  }
  if (g->waiting_for == 0) g->done(std::move(g->result));
}

void monitor_state::ask(const std::shared_ptr<gathering>& g, size_t index) {
  auto next = [this, g] {
    --g->waiting_for;
    gather(g);
  };
  ++g->waiting_for;
  auto connection = caf::actor_cast<connection_actor>(g->result.of[index]->actor);
  self_->request(connection, patience, subsz_atom::value, subscription_query{g->test, g->wanted})
      .then(
          [g, index, next](const subscriptions_view_ptr& found) {
            g->wanted -= std::min(g->wanted, found->list.size());
            g->result.found[index] = found;
            next();
          },
          [next](const caf::error&) { next(); });
}

// ---- the endpoints ----

void monitor_state::index(const respond& to) {
  ++requests_["/"];
  auto link = [this](std::string_view path, std::string_view text) {
    return fmt::format("  <li><a href=\"{0}{1}\">{2}</a> <code>{1}</code></li>\n", base_path_, path,
                       text);
  };
  auto page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>vagus</title></head>\n<body>\n"
      "<h1>vagus {}</h1>\n<ul>\n",
      vagus_version);
  page += link("/varz", "General") + link("/connz", "Connections") +
          link("/jsz", "JetStream") + link("/subsz", "Subscriptions") +
          link("/healthz", "Health") +
          "</ul>\n</body>\n</html>\n";
  to({200, "text/html; charset=utf-8", std::move(page)});
}

void monitor_state::varz(const respond& to) {
  ++requests_["/varz"];
  with_connections(to, [this, to](connections_view_ptr view) {
    const auto& counters = around_.counters;
    varz_facts f;
    f.start = around_.started;
    f.now = std::chrono::system_clock::now();
    f.http_port = http_port_;
    f.event_loops = around_.contexts.size();
    f.cpu_percent = usage_.cpu_percent();
    f.resident_bytes = process_usage::resident_bytes();
    f.connections = std::move(view);
    f.slow_consumers = counters.slow_consumers;
    f.stale_connections = counters.stale_connections;
    f.stalled_clients = counters.stalled_clients;
    f.subscriptions = around_.contexts.front()->global.subjects.stats().subscriptions;
    f.requests = requests_;
    answer(to, [f = std::move(f), settings = current(), js = around_.jetstream]() mutable {
      f.jetstream = look_at(js, settings->opts);
      return render_varz(*settings, f);
    });
  });
}

void monitor_state::connz(parameters& query, const respond& to) {
  auto wanted = connz_options::read(query);
  if (!query.error().empty()) {
    to(bad_request(query));
    return;
  }
  ++requests_["/connz"];
  with_connections(to, [this, to, wanted](const connections_view_ptr& view) {
    auto now = std::chrono::system_clock::now();
    if (!wanted.subs && !wanted.subs_detail) {
      answer(to, [wanted, view, settings = current(), now] {
        return render(wanted, select(wanted, *view, now), settings->info.server_id, now);
      });
      return;
    }
    auto page = std::make_shared<connz_page>(select(wanted, *view, now));
    auto finish = [this, to, wanted, page, now](found_subscriptions all) {
      page->subscriptions = std::move(all.found);
      answer(to, [wanted, page, settings = current(), now] {
        return render(wanted, *page, settings->info.server_id, now);
      });
    };
    gather(std::make_shared<gathering>(gathering{{page->rows, {}}, {}, most_listed, 0, 0, finish}));
  });
}

void monitor_state::subsz(parameters& query, const respond& to) {
  ++requests_["/subsz"];
  auto wanted = subsz_options::read(query);
  if (!query.error().empty()) {
    to(bad_request(query));
    return;
  }
  auto finish = [this, to, wanted](found_subscriptions all) {
    answer(to, [wanted, all = std::move(all), stats = statistics(wanted.account),
                settings = current()] {
      return render(wanted, stats, all, settings->info.server_id, std::chrono::system_clock::now());
    });
  };
  if (!wanted.subs) {
    finish({});
    return;
  }
  with_connections(to, [this, wanted, finish](const connections_view_ptr& view) {
    std::vector<connection_record_ptr> of;
    for (const auto& r : view->open)
      if (wanted.account.empty() || r->account == wanted.account) of.push_back(r);
    auto most = std::min(wanted.offset + wanted.limit, most_listed);
    gather(std::make_shared<gathering>(
        gathering{{std::move(of), {}}, wanted.test, most, 0, 0, finish}));
  });
}

void monitor_state::jsz(parameters& query, const respond& to) {
  auto wanted = jsz_options::read(query);
  if (!query.error().empty()) {
    to(bad_request(query));
    return;
  }
  ++requests_["/jsz"];
  answer(to, [wanted, settings = current(), js = around_.jetstream] {
    auto view = look_at(js, settings->opts);
    return render_jsz(wanted, view ? *view : jetstream_view{}, settings->info.server_id,
                      std::chrono::system_clock::now());
  });
}

subject_statistics monitor_state::statistics(const std::string& account) const {
  subject_statistics sum;
  const auto& global = around_.contexts.front()->global;
  if (!account.empty() && account != global.name) return sum;
  const auto& changes = global.subjects.stats();
  sum.subscriptions = changes.subscriptions;
  sum.inserts = changes.inserts;
  sum.removes = changes.removes;
  for (const auto& context : around_.contexts) {
    const auto& s = context->routes.stats();
    sum.cached += s.cached;
    sum.cache_hits += s.cache_hits;
    sum.walks += s.matches;
    sum.fanout += s.fanout;
    sum.max_fanout = std::max<uint64_t>(sum.max_fanout, s.max_fanout);
  }
  return sum;
}

}  // namespace vagus
