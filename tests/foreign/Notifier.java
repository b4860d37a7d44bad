// Edu-iX as far as a distributor sees it: JAX-WS (Metro) tells our endpoint what changed.
// java Notifier USERNAME, the password on stdin; each event once, then one wrongly. The package
// `told` is what wsimport makes of our WSDL, loginHeader included (-XadditionalHeaders).

import java.math.BigInteger;
import java.util.Scanner;
import told.*;

public class Notifier {
    private interface Call {
        void make() throws Fault_Exception;
    }

    private static void tell(String operation, Call call) {
        try {
            call.make();
            System.out.println(operation + "\tdone");
        } catch (Fault_Exception refused) {
            System.out.println("fault\t" + refused.getFaultInfo().getCode());
        }
    }

    private static LoginHeader login(String username, String password) {
        LoginHeader header = new LoginHeader();
        header.setUsername(username);
        header.setPassword(password);
        return header;
    }

    private static Specification entry(String response, Integer code) {
        Specification entry = new Specification();
        entry.setAmount(BigInteger.ONE);
        entry.setResponseID(response);
        entry.setErrorCode(code == null ? null : BigInteger.valueOf(code));
        return entry;
    }

    public static void main(String[] arguments) {
        String password = new Scanner(System.in).nextLine();
        LoginHeader good = login(arguments[0], password);
        LoginHeader bad = login(arguments[0], "wrong");
        NotificationPortType endpoint = new Notification().getNotificationPort();

        PrematchChangedRequest person = new PrematchChangedRequest();
        person.setDistributorPersonID("P-jaxws");
        person.setUserID("u-jaxws");
        SpecificationChangedRequest credit = new SpecificationChangedRequest();
        credit.setDistributorCreditID("C-jaxws");
        credit.setState(State.ACTIVE);
        credit.getSpecification().add(entry("R-1", null));
        credit.getSpecification().add(entry("R-2", 1042));

        tell("prematchChanged", () -> endpoint.prematchChanged(person, good));
        tell("specificationChanged", () -> endpoint.specificationChanged(credit, good));
        tell("prematchChanged", () -> endpoint.prematchChanged(person, bad));
    }
}
