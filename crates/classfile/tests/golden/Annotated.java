// Type annotations in code: on locals, casts, new, instanceof, catch parameters, type arguments.
package golden;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

public class Annotated {
    @Retention(RetentionPolicy.RUNTIME)
    @Target({ElementType.TYPE_USE, ElementType.TYPE_PARAMETER})
    @interface Noted {
        int value() default 0;
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println(annotated("b") + annotated(5) + annotated(null));
        System.out.println(Annotated.<String>generic("text"));
    }

    static @Noted(1) String annotated(@Noted Object given) {
        @Noted(2) String text = "none";
        try {
            if (given instanceof @Noted(3) String) {
                text = (@Noted(4) String) given;
            } else {
                List<@Noted(5) Object> list = new @Noted(6) ArrayList<@Noted(7) Object>();
                list.add(given.hashCode());
                for (@Noted(8) Object each : list) {
                    text += each;
                }
            }
            try (@Noted(9) AutoCloseable closed = () -> { }) {
                Supplier<String> made = @Noted(10) String::new;
                text += made.get();
            }
        } catch (@Noted(11) NullPointerException caught) {
            text = "null";
        } catch (@Noted(12) Exception other) {
            text = "other";
        }
        return text;
    }

    static <@Noted(13) T> T generic(T given) {
        @Noted(14) T[] @Noted(15) [] kept = null;
        return kept == null ? given : kept[0][0];
    }
}
