"""How fast a long work goes, and when it will be done."""

WINDOW_S = 120.0


class Pace:
    """The speed of a work from what was done when.

    It counts from the first result on, because loading models says nothing about the work, and over the last half of
    the time since, but at least two minutes: what a resumed run finds done at once must not promise an early end, and
    single results must not make the end wander.
    """

    def __init__(self, now: float, done: int) -> None:
        self.began, self.before = now, done
        self._seen: list[tuple[float, int]] = []
        self._done, self._first = done, now

    def add(self, now: float, done: int) -> None:
        """``done`` are done at the time ``now`` in seconds."""
        if done > self._done and (not self._seen or now - self._seen[-1][0] >= 1):
            self._first = self._first if self._seen else now
            self._seen.append((now, done))
        self._done = done

    def speed(self, now: float) -> float | None:
        """Results a second; None before there is anything to tell it from."""
        if not self._seen:
            return None
        since = now - max(WINDOW_S, (now - self._first) / 2)
        while len(self._seen) > 1 and self._seen[1][0] <= since:  # ``since`` only grows
            del self._seen[0]
        first, count = self._seen[0]
        return (self._done - count) / (now - first) if self._done > count and now - first >= 1 else None

    def mean(self, now: float) -> float | None:
        """Results a second from the beginning to the end."""
        if self._done <= self.before or now <= self.began:
            return None
        return (self._done - self.before) / (now - self.began)

    def left(self, now: float, total: int | None) -> float | None:
        """Seconds until ``total`` are done."""
        speed = self.speed(now)
        return None if speed is None or total is None or self._done >= total else (total - self._done) / speed


def about(seconds: float) -> str:
    """A time that nobody knows to the second: ``about 2 h 5 min left``, ``about 12 min left``, ``about 40 s left``."""
    steps = ((5400, 300), (600, 60), (60, 10), (0, 5))
    step = next(step for limit, step in steps if seconds >= limit)
    return f"about {duration(max(5, round(seconds / step) * step))} left"


def duration(seconds: float) -> str:
    """``2 h 5 min``, ``3 min 20 s`` or ``12 s``."""
    seconds = int(seconds)
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    if seconds >= 600 and not seconds % 60:
        return f"{seconds // 60} min"
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
