"""Live reload, with a function that is only looked at."""

import asyncio
import threading
from pathlib import Path
from typing import Any

from sandbox.page.reload import Reload, Source


def test_code_that_does_not_start_never_displaces_what_was_saved_after_it(tmp_path: Path) -> None:
    file, uploaded, notes = tmp_path / "index.js", list[bytes](), list[str]()
    to_save, second_is_live, first_was_tried = ["first", "second"], threading.Event(), threading.Event()

    def start() -> str:
        if first_was_tried.is_set():
            return ""
        first_was_tried.set()
        second_is_live.wait(20)
        return "It did not start."

    async def offer(_: dict[str, Any]) -> None:
        if to_save:
            file.write_text(to_save.pop(0), encoding="utf-8")
        else:
            second_is_live.set()

    async def scene() -> None:
        source = Source(tmp_path, tmp_path, "", "*", lambda *_: {"ok": True})
        watching = asyncio.create_task(
            Reload(source, uploaded.append, start, lambda state, _: notes.append(state), offer).run()
        )
        await asyncio.to_thread(second_is_live.wait, 20)
        await asyncio.sleep(0.5)  # for what must not happen
        watching.cancel()

    file.write_text("good", encoding="utf-8")
    asyncio.run(scene())

    assert len(uploaded) == 2
    assert notes == ["checking", "live", "checking", "live"]
