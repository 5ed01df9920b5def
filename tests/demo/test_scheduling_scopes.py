"""One Site of the demo may schedule meetings; another sees what is missing."""

from __future__ import annotations

import json
from pathlib import Path

from demo_site.config import DemoConfig
from demo_site.processes import wait_for
from demo_site.run import Demo

from .test_setup import run_manage

SCRIPT = """
import json
from demo_site.connections import connect_all
from wagtail_zoom.models import ZoomSettings
connect_all(print)
rows = ZoomSettings.objects.select_related("grant", "site").exclude(grant=None)
print("FACTS" + json.dumps({row.site.hostname: row.grant.scope for row in rows}))
"""


def test_aurora_may_schedule_and_borealis_may_not(tmp_path: Path) -> None:
    config = DemoConfig.anywhere(tmp_path)
    simulator = Demo(config).simulator
    simulator.start()
    try:
        wait_for(simulator, f"{config.simulator_url}/_sim/state")
        environment = config.environment()
        for arguments in (("setup_demo",), ("shell", "-c", SCRIPT)):
            result = run_manage(tmp_path, *arguments, **environment)
            assert result.returncode == 0, result.stdout + result.stderr
    finally:
        simulator.stop()
    scopes = json.loads(result.stdout.split("FACTS", 1)[1])
    assert set(scopes) == {"aurora.localhost", "borealis.localhost"}
    for name in ("meeting:write:meeting", "meeting:delete:meeting", "meeting:read:list_templates"):
        assert name in scopes["aurora.localhost"]
        assert name not in scopes["borealis.localhost"]
    assert "meeting:read:meeting" in scopes["borealis.localhost"]
