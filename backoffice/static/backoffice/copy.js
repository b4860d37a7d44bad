// Buttons that copy a text of the page; without this script they stay away and the text can be read.
'use strict';
{
    function show(root) {
        for (const button of root.querySelectorAll('button[data-copy][hidden]')) {
            button.hidden = false;
        }
    }

    // navigator.clipboard is there over https and on this machine only.
    function copyOld(source) {
        const box = document.createElement('textarea');
        box.value = source.textContent;
        box.className = 'visually-hidden';
        document.body.append(box);
        box.select();
        const done = document.execCommand('copy');
        box.remove();
        return done;
    }

    async function copy(source) {
        try {
            await navigator.clipboard.writeText(source.textContent);
            return true;
        } catch {
            return copyOld(source);
        }
    }

    document.addEventListener('click', async event => {
        const button = event.target.closest('button[data-copy]');
        const source = button && document.getElementById(button.dataset.copy);
        if (!source) {
            return;
        }
        if (await copy(source)) {
            const words = button.textContent;
            button.textContent = button.dataset.copied;
            setTimeout(() => { button.textContent = words; }, 2000);
            return;
        }
        const details = source.closest('details');
        if (details) {
            details.open = true;
        }
        window.getSelection().selectAllChildren(source);
    });

    show(document);
    document.addEventListener('htmx:afterSwap', () => show(document));
}
