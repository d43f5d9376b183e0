"use strict";
/* Plays a clip and moves a line over its waveform; searches the table of all clips. The rest is readable without. */
(() => {
  let current = null;

  const setUp = (clip) => {
    const audio = clip.querySelector("audio");
    if (!audio) return;
    const stage = clip.querySelector(".stage");
    const head = clip.querySelector(".head");
    const now = clip.querySelector(".now-text");
    const button = clip.querySelector(".play");
    const chords = Array.from(clip.querySelectorAll(".chords span"), (span) => ({
      span, start: Number(span.dataset.start), end: Number(span.dataset.end),
    }));
    const beats = Array.from(clip.querySelectorAll("line"), (line) => ({
      at: Number(line.getAttribute("x1")) / 480, down: line.classList.contains("down"),
    }));
    const known = Number(clip.dataset.seconds);
    const length = () => known || audio.duration || 1;

    audio.controls = false;
    audio.hidden = true;
    button.hidden = false;
    stage.classList.add("seek");
    stage.tabIndex = 0;
    stage.setAttribute("role", "slider");
    stage.setAttribute("aria-label", "Position in seconds");
    stage.setAttribute("aria-valuemin", "0");
    stage.setAttribute("aria-valuemax", String(length()));

    const draw = () => {
      const share = Math.min(audio.currentTime / length(), 1);
      head.style.left = `calc(${(100 * share).toFixed(3)}% - 1px)`;
      let label = "";
      for (const chord of chords) {
        const on = share * 100 >= chord.start && share * 100 < chord.end && !audio.ended;
        chord.span.classList.toggle("now", on);
        if (on) label = chord.span.textContent;
      }
      let beat = 0;
      for (const { at, down } of beats) {
        if (at > share + 0.002) break;
        beat = down ? 1 : beat + (beat > 0 ? 1 : 0);
      }
      now.textContent = [`${audio.currentTime.toFixed(1)} s`, beat ? `beat ${beat}` : "", label].filter(Boolean).join(" · ");
      stage.setAttribute("aria-valuenow", audio.currentTime.toFixed(1));
    };
    const run = () => {
      draw();
      if (!audio.paused) requestAnimationFrame(run);
    };
    const seek = (seconds) => {
      audio.currentTime = Math.max(0, Math.min(seconds, length() - 0.02));
      clip.classList.add("paused");
      draw();
    };
    const toggle = () => { if (audio.paused) audio.play(); else audio.pause(); };

    button.addEventListener("click", toggle);
    stage.addEventListener("click", (event) => {
      const box = stage.getBoundingClientRect();
      seek(length() * (event.clientX - box.left) / box.width);
      if (audio.paused) audio.play();
    });
    stage.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.5, ArrowRight: 0.5 }[event.key];
      if (step) seek(audio.currentTime + step);
      else if (event.key === " " || event.key === "Enter") toggle();
      else return;
      event.preventDefault();
    });
    audio.addEventListener("play", () => {
      if (current && current !== audio) current.pause();
      current = audio;
      clip.classList.add("playing");
      button.setAttribute("aria-label", "Pause");
      run();
    });
    audio.addEventListener("pause", () => {
      clip.classList.remove("playing");
      clip.classList.add("paused");
      button.setAttribute("aria-label", "Play");
      draw();
    });
  };

  document.querySelectorAll(".clip").forEach(setUp);

  /* Search and order of the table of all clips, which is hidden where there is no script to search it. */
  const all = document.querySelector(".all");
  if (all) {
    const body = all.querySelector("tbody");
    const lines = Array.from(body.rows, (row, place) => ({
      row, place, doubt: Number(row.dataset.doubt), text: row.textContent.toLowerCase(),
    }));
    const search = all.querySelector(".search");
    const doubt = all.querySelector(".doubt");
    const found = all.querySelector(".found");
    search.addEventListener("input", () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const { row, text } of lines) {
        row.hidden = !words.every((word) => text.includes(word));
        count += row.hidden ? 0 : 1;
      }
      found.textContent = `${count.toLocaleString("en")} clips`;
    });
    doubt.addEventListener("change", () => {
      const order = [...lines].sort((a, b) => (doubt.checked ? b.doubt - a.doubt : 0) || a.place - b.place);
      body.append(...order.map(({ row }) => row));
    });
    all.hidden = false;
  }
})();
