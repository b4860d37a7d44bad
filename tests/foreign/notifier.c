/* Edu-iX as far as a distributor sees it: gSOAP in C tells our endpoint what changed.
   notifier ADDRESS USERNAME, the password on stdin; each event once, then one wrongly.
   test_notifying.py generates soapH.h from our WSDL and builds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "soapH.h"
#include "notificationBinding.nsmap"

static struct soap *soap;

/* gSOAP forgets the header of a call when its answer has come. */
static void login(char *username, char *password)
{
    struct told__loginHeader *inside = calloc(1, sizeof *inside);
    inside->username = username;
    inside->password = password;
    soap->header = calloc(1, sizeof(struct SOAP_ENV__Header));
    soap->header->told__loginHeader = inside;
}

static void tell(const char *operation)
{
    if (soap->error == SOAP_OK)
        printf("%s\tdone\n", operation);
    else if (soap->error == SOAP_FAULT && soap->fault->detail)
        printf("fault\t%s\n", soap->fault->detail->told__Fault->code);
    else {
        soap_print_fault(soap, stderr);
        exit(1);
    }
}

int main(int count, char **arguments)
{
    char password[128] = "";
    if (count != 3 || fgets(password, sizeof password, stdin) == NULL)
        return 2;
    password[strcspn(password, "\n")] = 0;
    char *address = arguments[1], *username = arguments[2];
    soap = soap_new1(SOAP_C_UTFSTRING);
    soap->connect_timeout = soap->recv_timeout = 30;

    struct _told__prematchChangedRequest person = {0};
    struct _told__prematchChangedResponse linked;
    person.distributorPersonID = "P-gsoap";
    person.userID = "u-gsoap";
    login(username, password);
    soap_call___ns1__prematchChanged(soap, address, NULL, &person, &linked);
    tell("prematchChanged");

    struct told__specification entries[2] = {{0}, {0}};
    struct _told__specificationChangedRequest credit = {0};
    struct _told__specificationChangedResponse specified;
    entries[0].amount = entries[1].amount = "1";
    entries[0].responseID = "R-1";
    entries[1].responseID = "R-2";
    entries[1].errorCode = "1042";
    credit.distributorCreditID = "C-gsoap";
    credit.state = told__state__Active;
    credit.__sizespecification = 2;
    credit.specification = entries;
    login(username, password);
    soap_call___ns1__specificationChanged(soap, address, NULL, &credit, &specified);
    tell("specificationChanged");

    login(username, "wrong");
    soap_call___ns1__prematchChanged(soap, address, NULL, &person, &linked);
    tell("prematchChanged");
    return 0;
}
