// What a script adds to pages that work without it: steady columns, more pictures as one scrolls, news as it happens,
// likes and comments in place. Text from people reaches the page only as markup that the server has escaped.
"use strict";
(() => {
  const body = document.body;
  const start = performance.now();
  const serverNow = Date.parse(body.dataset.now);
  const speed = Number(body.dataset.speed) || 1;

  // ---- Times, by the studio's clock.
  const ago = (at) => {
    const secs = Math.max(0, (serverNow + (performance.now() - start) * speed - at) / 1000);
    if (secs < 60) return "just now";
    if (secs < 3600) return `${Math.floor(secs / 60)} min ago`;
    if (secs < 86400) return `${Math.floor(secs / 3600)} h ago`;
    if (secs < 604800) return `${Math.floor(secs / 86400)} d ago`;
    return new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  };
  const retell = () => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const words = ago(Date.parse(time.dateTime));
      if (time.textContent !== words) time.textContent = words;
    }
  };
  setInterval(retell, 20000);

  // ---- Columns: a card stays in its lane, so nothing jumps when others come.
  const grids = [];
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  class Lanes {
    constructor(grid) {
      this.grid = grid;
      this.cards = [...grid.querySelectorAll(".card")];
      this.more = grid.querySelector(".more");
      this.seen = new Set(this.cards.map((card) => card.dataset.id));
      this.lay();
    }
    count() {
      const width = this.grid.clientWidth;
      return width < 600 ? 2 : Math.max(2, Math.floor((width + 24) / 294));
    }
    lay() {
      const count = this.count();
      this.lanes = Array.from({ length: count }, () => {
        const lane = document.createElement("div");
        lane.className = "lane";
        return { lane, height: 0 };
      });
      this.grid.classList.add("set");
      for (const card of this.cards) this.place(card, false);
      this.grid.replaceChildren(...this.lanes.map(({ lane }) => lane));
      if (this.more) this.grid.after(this.more);
    }
    place(card, first) {
      const img = card.querySelector("img");
      const height = (Number(img.getAttribute("height")) / Number(img.getAttribute("width")) || 1) + 0.45;
      const lane = first ? this.lanes[0] : this.lanes.reduce((a, b) => (b.height < a.height - 0.01 ? b : a));
      lane.height += height;
      if (!first) {
        lane.lane.append(card);
        return;
      }
      const below = [...lane.lane.children];
      const tops = below.map((one) => one.getBoundingClientRect().top);
      lane.lane.prepend(card);
      this.lanes.push(this.lanes.shift());
      if (still.matches) return;
      // What makes room glides to its new place.
      below.forEach((one, place) => {
        const by = tops[place] - one.getBoundingClientRect().top;
        one.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: 450, easing: "cubic-bezier(.2, .8, .2, 1)" });
      });
    }
    add(cards, first) {
      for (const card of cards) {
        if (this.seen.has(card.dataset.id)) continue;
        this.seen.add(card.dataset.id);
        if (first) {
          card.classList.add("fresh");
          this.cards.unshift(card);
        } else this.cards.push(card);
        this.place(card, first);
      }
    }
    resize() {
      if (this.count() !== this.lanes.length) this.lay();
    }
  }
  for (const grid of document.querySelectorAll(".grid")) grids.push(new Lanes(grid));
  addEventListener("resize", () => grids.forEach((grid) => grid.resize()));

  const fetchCards = async (url) => {
    const reply = await fetch(url, { headers: { Accept: "text/html" } });
    if (!reply.ok) throw new Error(String(reply.status));
    const held = document.createElement("template");
    held.innerHTML = await reply.text();
    return { cards: [...held.content.querySelectorAll(".card")], more: held.content.querySelector(".more") };
  };

  // ---- More as one scrolls.
  for (const lanes of grids) {
    if (!lanes.more) continue;
    const watch = new IntersectionObserver(async (entries) => {
      if (!entries.some((entry) => entry.isIntersecting) || lanes.busy) return;
      lanes.busy = true;
      const link = lanes.more;
      try {
        const url = new URL(link.href);
        url.searchParams.set("part", "1");
        const { cards, more } = await fetchCards(url);
        lanes.add(cards, false);
        watch.unobserve(link);
        if (more) {
          link.replaceWith(more);
          lanes.more = more;
          watch.observe(more);
        } else {
          link.remove();
          lanes.more = null;
        }
      } catch {
        // The link stays, for whoever wants to try by hand.
      } finally {
        lanes.busy = false;
      }
    }, { rootMargin: "900px" });
    watch.observe(lanes.more);
  }

  // ---- News.
  const live = grids.find((lanes) => "live" in lanes.grid.dataset);
  const pill = document.querySelector(".news");
  const waiting = [];
  const show = async () => {
    const ids = waiting.splice(0).slice(-24);
    pill.hidden = true;
    for (const id of ids) {
      try {
        const { cards } = await fetchCards(`/p/${encodeURIComponent(id)}/card`);
        document.querySelector("[data-empty]")?.remove();
        live.add(cards, true);
      } catch {
        // It was taken down in the meantime.
      }
    }
    retell();
  };
  let soon = 0;
  const arrive = (id) => {
    if (live.seen.has(id) || waiting.includes(id)) return;
    waiting.push(id);
    if (live.grid.dataset.order === "recent" && scrollY < 80 && !document.hidden) {
      clearTimeout(soon);
      soon = setTimeout(show, 250);
      return;
    }
    pill.textContent = waiting.length === 1 ? "1 new picture" : `${waiting.length} new pictures`;
    pill.hidden = false;
  };
  pill?.addEventListener("click", () => {
    if (live.grid.dataset.order !== "recent") {
      location.href = "/";
      return;
    }
    scrollTo({ top: 0 });
    show();
  });
  const setCounts = (id, counts) => {
    for (const home of document.querySelectorAll(`[data-id="${CSS.escape(id)}"]`)) {
      const root = home.closest(".side") || home;
      for (const [name, count] of Object.entries(counts)) {
        const place = root.querySelector(`[data-count="${name}"]`);
        if (place && place.textContent !== String(count)) place.textContent = count;
      }
    }
  };
  if (document.querySelector("[data-id], [data-live]")) {
    const events = new EventSource("/events");
    events.addEventListener("counts", ({ data }) => {
      const { id, likes, comments } = JSON.parse(data);
      setCounts(id, { likes, comments });
    });
    if (live) events.addEventListener("item", ({ data }) => arrive(JSON.parse(data).id));
    if (live) events.addEventListener("missed", () => { pill.textContent = "Many new pictures"; pill.hidden = false; waiting.length = 0; pill.onclick = () => { location.href = "/"; }; });
  }

  // ---- Likes and comments in place.
  const ask = document.getElementById("ask");
  const askName = () => new Promise((done) => {
    const form = ask.querySelector("form");
    form.querySelector("input").value = "";
    ask.returnValue = "";
    ask.querySelector("[value=cancel]").onclick = () => ask.close("");
    ask.addEventListener("close", () => done(ask.returnValue === "ok" ? form.querySelector("input").value : null), { once: true });
    ask.showModal();
  });
  const send = async (form, extra) => {
    const data = new URLSearchParams(new FormData(form));
    for (const [key, value] of Object.entries(extra || {})) data.set(key, value);
    if (!("named" in body.dataset) && !data.get("name")) {
      const name = await askName();
      return name ? send(form, { name }) : null;
    }
    const reply = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "application/json" } });
    const answer = await reply.json();
    if (answer.needsName) {
      const name = await askName();
      return name ? send(form, { name }) : null;
    }
    if (!reply.ok) throw new Error(answer.error);
    if (!("named" in body.dataset)) {
      body.dataset.named = "";
      const name = data.get("name");
      if (name) {
        const strong = document.createElement("strong");
        strong.textContent = name;
        document.querySelector(".me").replaceChildren("Hello, ", strong);
      }
      document.querySelectorAll(".say .namely").forEach((field) => field.remove());
    }
    return answer;
  };
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches(".like, .say")) return;
    event.preventDefault();
    const button = form.querySelector("button");
    // A button that is disabled would lose the focus to the top of the page.
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    try {
      const answer = await send(form);
      if (!answer) return;
      if (form.matches(".like")) {
        button.setAttribute("aria-pressed", String(answer.liked));
        button.classList.toggle("beat", answer.liked);
        const home = form.closest("[data-id]");
        setCounts(home.dataset.id, { likes: answer.likeCount });
      } else {
        const held = document.createElement("template");
        held.innerHTML = answer.html;
        document.querySelector(".remarks").append(held.content);
        document.querySelector(".none")?.remove();
        document.querySelector("#comments [data-count]").textContent = answer.commentCount;
        form.reset();
        form.querySelector(".problem")?.remove();
        form.querySelector(".left").textContent = "";
      }
    } catch (error) {
      const problem = form.querySelector(".problem") || Object.assign(document.createElement("p"), { className: "problem" });
      problem.setAttribute("role", "alert");
      problem.textContent = error.message || "That did not work; try again";
      form.prepend(problem);
    } finally {
      button.ariaBusy = null;
    }
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches(".say textarea")) return;
    const left = 1000 - [...event.target.value].length;
    event.target.form.querySelector(".left").textContent = left < 200 ? `${left} left` : "";
  });
})();
