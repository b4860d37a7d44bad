/* A distributor that knows nothing but the WSDLs: gSOAP in C through the sandbox's services.
   partner USERNAME DISTRIBUTOR ORGANISATION, the password on stdin; the addresses are the WSDLs'.
   One line per call: its name, and what came back. test_stacks.py generates soapH.h and builds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "soapH.h"
#include "profileBinding.nsmap"

static struct soap *soap;

/* Ends the program when the call before went wrong. */
static void check(const char *operation)
{
    if (soap->error == SOAP_OK)
        return;
    fprintf(stderr, "%s: ", operation);
    soap_print_fault(soap, stderr);
    exit(1);
}

/* A header of one call; gSOAP forgets it when the answer has come. */
static struct SOAP_ENV__Header *header(void)
{
    return soap->header = calloc(1, sizeof(struct SOAP_ENV__Header));
}

static void profile_session(char *session)
{
    struct profile__sessionIDHeader *inside = calloc(1, sizeof *inside);
    inside->sessionID = session;
    header()->profile__sessionIDHeader = inside;
}

static void profile_reader(char *session)
{
    struct profile__sessionIDHeader *inside = calloc(1, sizeof *inside);
    struct profile__authHeader *outside = calloc(1, sizeof *outside);
    inside->sessionID = session;
    outside->__union_authHeader = SOAP_UNION__profile__union_authHeader_sessionIDHeader;
    outside->union_authHeader.sessionIDHeader = inside;
    header()->profile__authHeader = outside;
}

static void credit_session(char *session)
{
    struct credit__sessionIDHeader *inside = calloc(1, sizeof *inside);
    inside->sessionID = session;
    header()->credit__sessionIDHeader = inside;
}

static void credit_reader(char *session)
{
    struct credit__sessionIDHeader *inside = calloc(1, sizeof *inside);
    struct credit__authHeader *outside = calloc(1, sizeof *outside);
    inside->sessionID = session;
    outside->__union_authHeader = SOAP_UNION__credit__union_authHeader_sessionIDHeader;
    outside->union_authHeader.sessionIDHeader = inside;
    header()->credit__authHeader = outside;
}

static void with_profile(char *username, char *password, char *distributor, char *organisation)
{
    struct profile__loginHeader login = {username, password};
    struct _profile__loginRequest in = {0};
    struct _profile__loginResponse out;
    header()->profile__loginHeader = &login;
    soap_call___ns1__login(soap, NULL, NULL, &in, &out);
    check("profile.login");
    printf("profile.login\t%zu\n", strlen(out.sessionID));

    struct profile__distributorPerson key = {distributor, "GSOAP-1"};
    struct profile__person person = {0};
    person.distributorPerson = &key;
    person.firstName = "Zo\xc3\xab";
    person.personState = profile__personState__A;
    person.postalCode = "3071 NA";
    person.surname = "Hof";
    person.countryCode = profile__countryCode__NL;
    struct _profile__createPersonRequest create = {&person};
    struct _profile__createPersonResponse created;
    profile_session(out.sessionID);
    soap_call___ns1__createPerson(soap, NULL, NULL, &create, &created);
    check("createPerson");
    printf("createPerson\tdone\n");

    struct profile__schoolperson pupil = {0};
    pupil.distributorSchoolPersonID = "GSOAP-SP-1";
    pupil.organisationID = organisation;
    pupil.distributorPersonID = "GSOAP-1";
    pupil.role = profile__role__Student;
    struct _profile__createSchoolpersonRequest place = {&pupil};
    struct _profile__createSchoolpersonResponse placed;
    profile_session(out.sessionID);
    soap_call___ns1__createSchoolperson(soap, NULL, NULL, &place, &placed);
    check("createSchoolperson");
    printf("createSchoolperson\tdone\n");

    struct _profile__getPersonRequest get = {0};
    struct _profile__getPersonResponse got;
    get.__union_getPersonRequest = SOAP_UNION__profile__union_getPersonRequest_distributorPerson;
    get.union_getPersonRequest.distributorPerson = &key;
    profile_reader(out.sessionID);
    soap_call___ns1__getPerson(soap, NULL, NULL, &get, &got);
    check("getPerson");
    printf("getPerson\t%s\n", got.personInformation[0].person->firstName);

    profile_session(out.sessionID);
    if (soap_call___ns1__createPerson(soap, NULL, NULL, &create, &created) != SOAP_FAULT)
        return;
    printf("fault\t%d\n", abs(atoi(soap->fault->detail->profile__Fault->code)));
}

static void with_credit(char *username, char *password, char *distributor)
{
    struct credit__loginHeader login = {username, password};
    struct _credit__loginRequest in = {0};
    struct _credit__loginResponse out;
    header()->credit__loginHeader = &login;
    soap_call___ns2__login(soap, NULL, NULL, &in, &out);
    check("credit.login");
    printf("credit.login\t%zu\n", strlen(out.sessionID));

    struct credit__personCredit credit = {0};
    credit.distributorPersonCreditID = "GSOAP-C-1";
    credit.distributorSchoolPersonID = "GSOAP-SP-1";
    credit.ean = "9789001205416";
    credit.creditStartDate = "2026-08-01";
    credit.personProductState = credit__personProductState__Active;
    credit.schoolYear = "2627";
    struct _credit__createPersonCreditRequest create = {&credit};
    struct _credit__createPersonCreditResponse created;
    credit_session(out.sessionID);
    soap_call___ns2__createPersonCredit(soap, NULL, NULL, &create, &created);
    check("createPersonCredit");
    printf("createPersonCredit\tdone\n");

    struct credit__distributorPersonCredit key = {distributor, "GSOAP-C-1"};
    struct _credit__getPersonCreditRequest get = {0};
    struct _credit__getPersonCreditResponse got;
    get.__union_getPersonCreditRequest =
        SOAP_UNION__credit__union_getPersonCreditRequest_distributorPersonCredit;
    get.union_getPersonCreditRequest.distributorPersonCredit = &key;
    credit_reader(out.sessionID);
    soap_call___ns2__getPersonCredit(soap, NULL, NULL, &get, &got);
    check("getPersonCredit");
    printf("getPersonCredit\t%s\n", got.personCreditInformation[0].personCredit->ean);
}

int main(int count, char **arguments)
{
    char password[128] = "";
    if (count != 4 || fgets(password, sizeof password, stdin) == NULL)
        return 2;
    password[strcspn(password, "\n")] = 0;
    soap = soap_new1(SOAP_C_UTFSTRING);
    soap->connect_timeout = soap->recv_timeout = 10;
    with_profile(arguments[1], password, arguments[2], arguments[3]);
    with_credit(arguments[1], password, arguments[2]);
    return 0;
}
