import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def loaded(*modules: str) -> set[str]:
    """What a fresh interpreter has loaded once it has imported these."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {', '.join(modules)}; print('\\n'.join(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    return set(found.stdout.split())


def test_an_answer_loads_no_slow_module() -> None:
    assert not loaded("bot.messenger.client", "bot.conversation") & {
        "dataclasses",
        "inspect",
        "asyncio",
        "boto3",
        "unittest",
    }


def test_the_library_uses_only_the_standard_library_and_the_bots_connection() -> None:
    for path in (ROOT / "bot" / "messenger").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                own = name == "bot.http" or name.startswith("bot.messenger")
                assert own or name.split(".")[0] in sys.stdlib_module_names - {"bot"}, f"{path.name} imports {name}"
