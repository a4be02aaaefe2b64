import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_an_answer_loads_no_slow_module() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import bot.messenger.client, bot.conversation"
    command = [sys.executable, "-I", "-S", "-c", f"{code}; print(*sys.modules)"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.split()
    assert "bot.messenger.client" in loaded
    assert not {"dataclasses", "inspect", "asyncio", "boto3", "unittest"} & set(loaded)


def test_the_library_uses_only_the_standard_library_and_the_bots_connection() -> None:
    for path in (ROOT / "bot" / "messenger").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                own = name == "bot.http" or name.startswith("bot.messenger")
                assert own or name.split(".")[0] in sys.stdlib_module_names - {"bot"}, f"{path.name} imports {name}"
