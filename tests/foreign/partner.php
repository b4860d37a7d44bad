<?php
// A distributor that knows nothing but the WSDLs: PHP's ext-soap through the sandbox's services.
// php partner.php PROFILE_WSDL CREDIT_WSDL USERNAME DISTRIBUTOR ORGANISATION, the password on stdin.
// One line per call: its name, and what came back.

declare(strict_types=1);

[, $profileWsdl, $creditWsdl, $username, $distributor, $organisation] = $argv;
$password = trim((string) fgets(STDIN));

function client(string $wsdl): SoapClient
{
    return new SoapClient($wsdl, [
        'cache_wsdl' => WSDL_CACHE_NONE,
        'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
        'connection_timeout' => 10,
    ]);
}

function say(string $operation, string $result): void
{
    echo $operation, "\t", $result, "\n";
}

/** The types namespace, as the WSDL's own first input message names it. */
function types(SoapClient $client, string $service): string
{
    return "urn:edu-ix:$service:types:4.1";
}

function login(SoapClient $client, string $service, string $username, string $password): void
{
    $header = ['username' => $username, 'password' => $password];
    $client->__setSoapHeaders(new SoapHeader(types($client, $service), 'loginHeader', $header));
    $session = $client->login(new stdClass())->sessionID;
    say("$service.login", (string) strlen($session));
    $client->session = $session;
}

function write(SoapClient $client, string $service, string $operation, array $request): void
{
    $header = new SoapHeader(types($client, $service), 'sessionIDHeader', ['sessionID' => $client->session]);
    $client->__soapCall($operation, [$request], null, $header);
    say($operation, 'done');
}

function read(SoapClient $client, string $service, string $operation, array $request): object
{
    $inside = ['sessionIDHeader' => ['sessionID' => $client->session]];
    $header = new SoapHeader(types($client, $service), 'authHeader', $inside);
    return $client->__soapCall($operation, [$request], null, $header);
}

$person = [
    'distributorPerson' => ['distributorID' => $distributor, 'distributorPersonID' => 'PHP-1'],
    'firstName' => 'Zoë',
    'personState' => 'A',
    'postalCode' => '3071 NA',
    'surname' => 'Hof',
    'countryCode' => 'NL',
];
$profile = client($profileWsdl);
login($profile, 'profile', $username, $password);
write($profile, 'profile', 'createPerson', ['person' => $person]);
write($profile, 'profile', 'createSchoolperson', ['schoolperson' => [
    'distributorSchoolPersonID' => 'PHP-SP-1',
    'organisationID' => $organisation,
    'distributorPersonID' => 'PHP-1',
    'role' => 'Student',
]]);
$found = read($profile, 'profile', 'getPerson', ['distributorPerson' => $person['distributorPerson']]);
say('getPerson', $found->personInformation[0]->person->firstName);
try {
    write($profile, 'profile', 'createPerson', ['person' => $person]);
} catch (SoapFault $fault) {
    say('fault', (string) abs((int) $fault->detail->Fault->code));
}

$credit = client($creditWsdl);
login($credit, 'credit', $username, $password);
write($credit, 'credit', 'createPersonCredit', ['personCredit' => [
    'distributorPersonCreditID' => 'PHP-C-1',
    'distributorSchoolPersonID' => 'PHP-SP-1',
    'ean' => '9789001205416',
    'creditStartDate' => '2026-08-01',
    'personProductState' => 'Active',
    'schoolYear' => 2627,
]]);
$key = ['distributorID' => $distributor, 'distributorPersonCreditID' => 'PHP-C-1'];
$found = read($credit, 'credit', 'getPersonCredit', ['distributorPersonCredit' => $key]);
say('getPersonCredit', $found->personCreditInformation[0]->personCredit->ean);
