// Copying and printing on "why no access?". The texts stand on the page, also without this script.
'use strict';
{
    function showButtons(root) {
        for (const button of root.querySelectorAll('[data-copy][hidden], [data-print][hidden]')) {
            button.hidden = false;
        }
    }

    async function copy(button) {
        const field = document.querySelector(button.dataset.copy);
        field.focus();
        field.select();
        try {
            await navigator.clipboard.writeText(field.value);
        } catch {
            document.execCommand('copy'); // no clipboard without https: the selection will do
        }
        const label = button.textContent;
        button.textContent = button.dataset.copied;
        button.setAttribute('role', 'status');
        setTimeout(() => { button.textContent = label; }, 2000);
    }

    document.addEventListener('click', event => {
        const button = event.target.closest('[data-copy], [data-print]');
        if (button && 'copy' in button.dataset) {
            copy(button);
        } else if (button) {
            window.print();
        }
    });

    showButtons(document);
    document.addEventListener('htmx:afterSettle', () => showButtons(document));
}
