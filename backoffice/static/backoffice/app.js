// Small conveniences; every page works without them.
'use strict';
{
    const find = document.querySelector('[data-find]');
    const menuButton = document.querySelector('[data-menu-button]');
    const side = document.getElementById('side');

    // On a narrow screen a table is a pile of cards: each value needs its heading beside it.
    function labelCells(root) {
        for (const table of root.querySelectorAll('main table')) {
            const head = table.tHead;
            if (!head || !head.rows.length || table.closest('.calendarbox')) {
                continue;
            }
            const labels = Array.from(head.rows[head.rows.length - 1].cells, cell => (cell.querySelector('.text') || cell).textContent.trim());
            for (const body of table.tBodies) {
                for (const row of body.rows) {
                    Array.from(row.cells).forEach((cell, at) => {
                        if (cell.tagName === 'TD' && labels[at] && cell.colSpan === 1 && !('label' in cell.dataset)) {
                            cell.dataset.label = labels[at];
                        }
                    });
                }
            }
        }
    }

    function closeMenus(except) {
        for (const menu of document.querySelectorAll('details[data-closes][open]')) {
            if (menu !== except) {
                menu.open = false;
            }
        }
    }

    if (menuButton && side) {
        // Without this script the button is a link to the menu, and :target shows it.
        menuButton.setAttribute('role', 'button');
        menuButton.setAttribute('aria-expanded', 'false');
        menuButton.addEventListener('click', event => {
            event.preventDefault();
            const open = side.classList.toggle('open');
            menuButton.setAttribute('aria-expanded', String(open));
            if (open) {
                side.querySelector('a').focus();
            }
        });
        menuButton.addEventListener('keydown', event => {
            if (event.key === ' ') {
                event.preventDefault();
                menuButton.click();
            }
        });
    }

    document.addEventListener('click', event => closeMenus(event.target.closest('details[data-closes]')));

    document.addEventListener('keydown', event => {
        const typing = event.target.closest('input, textarea, select, [contenteditable]');
        if (event.key === '/' && find && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
            event.preventDefault();
            find.focus();
            find.select();
        }
        if (event.key === 'Escape') {
            const open = document.querySelector('details[data-closes][open]');
            closeMenus(null);
            if (open) {
                open.querySelector('summary').focus();
            }
        }
    });

    // The admin's own script gives these a label and no role, so that nobody hears the label.
    window.addEventListener('load', () => {
        for (const icon of document.querySelectorAll('.selector .search-label-icon[aria-label]')) {
            icon.setAttribute('role', 'img');
        }
    });

    // A box that searches while one types gets its field's label: select2 leaves that on the list it
    // hides. It builds its boxes late, and one more for each row that is added.
    function nameBoxes() {
        for (const box of document.querySelectorAll('.select2-selection__rendered:not([aria-label])')) {
            const label = document.querySelector(`label[for="${box.id.replace(/^select2-|-container$/g, '')}"]`);
            if (label) {
                box.setAttribute('aria-label', label.textContent.trim());
            }
        }
    }

    if (document.querySelector('.admin-autocomplete')) {
        new MutationObserver(nameBoxes).observe(document.querySelector('main'), {childList: true, subtree: true});
    }

    // A part that refreshes itself is a new part each time: without this the keyboard would lose its
    // place on the button that stops the work. The same button is the one with the same words.
    const sameness = one => [one.tagName, one.textContent.trim(), one.getAttribute('href'), one.form?.getAttribute('action')].join('|');
    let held = '';

    document.addEventListener('htmx:beforeSwap', event => {
        const focused = document.activeElement;
        held = event.detail.target.contains(focused) && focused.matches('a, button, summary') ? sameness(focused) : '';
    });

    document.addEventListener('htmx:afterSwap', () => {
        labelCells(document);
        if (held && document.activeElement === document.body) {
            Array.from(document.querySelectorAll('main a, main button, main summary')).find(one => sameness(one) === held)?.focus({preventScroll: true});
        }
    });

    labelCells(document);
}
