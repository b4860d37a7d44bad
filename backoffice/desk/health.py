"""Is it running, and can it do its work: for supervisors, without personal data."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and its tables are up to date, else 503 with the reason."""
    problem = database_problem()
    if problem:
        return JsonResponse({"status": "unready", "database": problem}, status=503)
    return JsonResponse({"status": "ready", "database": "ok"})


def database_problem() -> str:
    """Why the database cannot be used; empty when it can. Never names host or user."""
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations are missing"
    except DatabaseError:
        return "does not answer"
    return ""
