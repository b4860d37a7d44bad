from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeskConfig(AppConfig):
    name = "backoffice.desk"
    label = "desk"
    verbose_name = _("Workbench")

    def ready(self) -> None:
        from backoffice.desk.buttons import register_all_buttons
        from backoffice.desk.compare_actions import register_actions
        from backoffice.desk.digest_sending import digest_daily
        from backoffice.desk.drift import reconcile_nightly
        from backoffice.desk.import_history import register_import_history
        from backoffice.desk.outside import check_outside
        from backoffice.desk.pruning import prune_daily
        from backoffice.desk.report_panel import register_report_panel
        from backoffice.desk.schools_running import register_school_states
        from backoffice.desk.why_panel import register_why_panels
        from backoffice.desk.work_filter import register_filters
        from backoffice.outbox.registry import register_background

        register_background(prune_daily)
        register_background(reconcile_nightly)
        register_background(digest_daily)
        register_background(check_outside)
        register_actions()
        register_all_buttons()
        register_why_panels()
        register_report_panel()
        register_filters()
        register_school_states()
        register_import_history()
