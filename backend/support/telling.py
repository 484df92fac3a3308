"""The words of each kind of notice; `{places}` are filled from the details that were told with it."""

from __future__ import annotations

from backend.words import mark as _

DENIED = _("Không phải tôi")  # how the subject of a case begins that a denied notice opened
WORDS = {
    "device_replaced": (
        _("Tài khoản đã đăng nhập trên thiết bị khác"),
        _(
            "Thiết bị {device} đã đăng xuất vì tài khoản đăng nhập trên {by}."
            " Nếu không phải bạn, hãy chọn “Không phải tôi”."
        ),
    ),
    "phone_changed": (
        _("Số điện thoại nhận OTP đã thay đổi"),
        _("Mã xác thực từ nay được gửi tới số {phone}. Nếu không phải bạn, hãy chọn “Không phải tôi”."),
    ),
    "password_changed": (
        _("Mật khẩu đã thay đổi"),
        _("Mật khẩu của tài khoản vừa được đổi. Nếu không phải bạn, hãy chọn “Không phải tôi”."),
    ),
    "method_added": (
        _("Đã thêm phương thức đăng nhập"),
        _(
            "Tài khoản có thêm phương thức đăng nhập: {method}. Nếu không phải bạn, hãy chọn “Không phải tôi”."
        ),
    ),
    "method_removed": (
        _("Đã gỡ phương thức đăng nhập"),
        _(
            "Tài khoản không còn phương thức đăng nhập: {method}. Nếu không phải bạn, hãy chọn “Không phải tôi”."
        ),
    ),
    "owner_came": (
        _("Chủ tài khoản đã được xác thực lần đầu"),
        _(
            "Tài khoản từng được mở bằng cách khác. Đã kết thúc vì không ai xác thực là của bạn: {ended}."
            " Được giữ lại nhưng tạm khóa: {kept}. Nếu đúng là của bạn, hãy xác nhận từng phương thức trong 30 ngày;"
            " nếu không, hãy gỡ bỏ."
        ),
    ),
    "same_person": (
        _("Có thể bạn còn một tài khoản khác"),
        _(
            "Có một tài khoản cùng họ tên và ngày sinh với bạn, mở bằng số CMND {number}. Nếu là của bạn, hãy chọn gộp"
            " tài khoản và chứng minh bằng mật khẩu và mã xác thực của tài khoản ấy. Nếu không phải, không cần làm gì."
        ),
    ),
    "accounts_joined": (
        _("Hai tài khoản của bạn đã được gộp"),
        _(
            "Tài khoản mở bằng số CMND {number} đã gộp vào tài khoản này và không còn dùng riêng được. Số điện thoại và"
            " chứng thư số khác của tài khoản ấy tạm khóa, hãy xác nhận từng phương thức trong 30 ngày."
        ),
    ),
    "join_proposed": (
        _("Cán bộ đề nghị gộp hai tài khoản cùng tên"),
        _(
            "Cán bộ hỗ trợ cho rằng tài khoản này và tài khoản có số {number} là của cùng một người và đề nghị gộp; một"
            " cán bộ khác còn phải xác nhận. Nếu tài khoản kia không phải của bạn, hãy chọn “Không phải tôi” để hủy."
        ),
    ),
    "join_dropped": (
        _("Hai tài khoản không được gộp"),
        _(
            "Đề nghị gộp tài khoản này với một tài khoản cùng tên đã bị hủy hoặc quá hạn. Không có gì thay đổi."
        ),
    ),
    "desk_joined": (
        _("Hai tài khoản của bạn đã được gộp"),
        _(
            "Hai cán bộ hỗ trợ đã xác nhận và gộp tài khoản mở bằng số CMND {number} vào tài khoản này. Mật khẩu của"
            " tài khoản ấy không dùng được nữa; số điện thoại và chứng thư số của nó tạm khóa, hãy xác nhận từng"
            " phương thức trong 30 ngày. Nếu tài khoản ấy không phải của bạn, hãy chọn “Không phải tôi”."
        ),
    ),
    "name_proposed": (
        _("Cán bộ đề nghị sửa họ tên của bạn"),
        _(
            "Một cán bộ hỗ trợ đã đọc trên giấy tờ họ tên “{name}” và đề nghị sửa họ tên của tài khoản; một cán bộ khác"
            " còn phải xác nhận. Nếu bạn không đề nghị, hãy chọn “Không phải tôi” để hủy."
        ),
    ),
    "name_kept": (
        _("Họ tên của bạn không thay đổi"),
        _("Đề nghị sửa họ tên theo giấy tờ đã bị hủy hoặc quá hạn. Không có gì thay đổi."),
    ),
    "name_corrected": (
        _("Họ tên của bạn đã được sửa"),
        _(
            "Hai cán bộ hỗ trợ đã đọc giấy tờ và sửa họ tên của tài khoản thành “{name}”. Các hệ thống liên quan sẽ"
            " nhận họ tên này. Nếu bạn không đề nghị, hãy chọn “Không phải tôi”."
        ),
    ),
    "desk_helped": (
        _("Cán bộ hỗ trợ đã cho gửi lại mã xác thực"),
        _(
            "Theo đề nghị gửi tới đầu mối hỗ trợ, mã xác thực mà bạn đang chờ đã được gửi lại tới số điện thoại của"
            " bạn. Cán bộ không đọc được và không bao giờ hỏi mã này. Nếu bạn không đề nghị, hãy chọn “Không phải tôi”."
        ),
    ),
    "recovery_done": (
        _("Mật khẩu đã được đặt lại"),
        _(
            "Mật khẩu của tài khoản vừa được đặt lại bằng chức năng “Quên mật khẩu”."
            " Nếu không phải bạn, hãy chọn “Không phải tôi”."
        ),
    ),
    "codes_locked": (
        _("Mã xác thực tạm dừng vì nhập sai nhiều lần"),
        _(
            "Mã xác thực để {purpose} bị nhập sai nhiều lần nên tạm dừng trong hai giờ. Bạn vẫn đăng nhập được bằng"
            " VNeID hoặc chứng thư số. Nếu không phải bạn, hãy chọn “Không phải tôi”."
        ),
    ),
    "account_frozen": (
        _("Tài khoản đã tạm khóa đăng nhập"),
        _(
            "Tài khoản đã được tạm khóa đăng nhập theo đề nghị qua đường dây nóng, mọi phiên đăng nhập đã kết thúc."
            " Bạn mở khóa bằng cách xác thực lại với VNeID (mức 2), hoặc gọi đường dây nóng. Lý do: {reason}"
        ),
    ),
    "account_thawed": (
        _("Bạn đã mở khóa tài khoản bằng VNeID"),
        _(
            "Tài khoản bị tạm khóa vì có báo cáo đăng nhập không chính chủ, và vừa được mở lại sau khi bạn xác thực lại"
            " bằng VNeID. Hãy xem lại phương thức đăng nhập và đổi mật khẩu nếu có người khác biết."
        ),
    ),
    "workspace_entered": (
        _("Đã vào không gian làm việc bằng mã QR"),
        _("Điện thoại của bạn cho {browser}, mạng {place}, vào. Không phải bạn? Chọn “Không phải tôi”."),
    ),
    "case_opened": (
        _("Yêu cầu hỗ trợ đã được mở"),
        _("Mã yêu cầu của bạn tại {desk} là {code}. Chỉ làm theo hướng dẫn của người đọc đúng mã này."),
    ),
    "case_answered": (
        _("Yêu cầu hỗ trợ có trả lời"),
        _("{desk} đã trả lời yêu cầu {code} của bạn."),
    ),
    "request_withdrawn": (
        _("Yêu cầu về vai trò đã được rút"),
        _(
            "Yêu cầu về vai trò tại {unit} được gửi từ lần đăng nhập mà bạn báo không phải của bạn, nên đã được rút."
            " Sau khi tài khoản được mở lại, bạn có thể gửi yêu cầu mới."
        ),
    ),
    "request_expired": (
        _("Yêu cầu về vai trò đã quá hạn"),
        _("Yêu cầu tại {unit} quá hạn: đã hết ngày cuối {day}. Nếu cần, hãy gửi yêu cầu mới."),
    ),
    "request_fell": (
        _("Yêu cầu về vai trò không còn hiệu lực"),
        _(
            "Yêu cầu về vai trò tại {unit} không còn hiệu lực vì vai trò đã kết thúc. Bạn không cần làm gì thêm."
        ),
    ),
    "request_decided": (
        _("Yêu cầu về vai trò có kết quả"),
        _("Yêu cầu về vai trò tại {unit} {outcome}. Xem lý do và việc cần làm ở mục Yêu cầu của tôi."),
    ),
    "delegated": (
        _("Ủy quyền duyệt yêu cầu về vai trò"),
        _(
            "{by} ủy quyền cho {to} duyệt yêu cầu về vai trò tại {unit} đến hết ngày {until}."
            " Nếu có nhầm lẫn, hãy chọn “Không phải tôi”."
        ),
    ),
    "delegation_ended": (
        _("Ủy quyền duyệt yêu cầu đã kết thúc"),
        _("Việc {by} ủy quyền cho {to} duyệt yêu cầu về vai trò tại {unit} đã kết thúc."),
    ),
    "request_overdue": (
        _("Yêu cầu của bạn đã quá hạn quyết định"),
        _(
            "Yêu cầu về vai trò tại {unit} đã quá hạn: chưa được quyết định trước hết ngày {day}."
            " Từ nay {above} cũng quyết định được; bạn không cần làm gì thêm."
        ),
    ),
    "step_overdue": (
        _("Có yêu cầu quá hạn quyết định"),
        _(
            "Một yêu cầu về vai trò tại {unit} đã quá hạn từ hết ngày {day}; {above} cũng quyết định được."
            " Xem mục Quá hạn của không gian làm việc."
        ),
    ),
    "nobody_decides": (
        _("Yêu cầu của bạn chưa có người quyết định"),
        _(
            "Hiện chưa ai được giao quyết định yêu cầu về vai trò tại {unit}. Người vận hành đã được báo; yêu cầu vẫn"
            " được giữ và bạn không cần gửi lại."
        ),
    ),
    "request_begun": (
        _("Đơn vị đã đề nghị thay đổi vai trò của bạn"),
        _("Đơn vị {unit} đã khởi tạo {what} cho bạn. Xem nội dung và nơi đang chờ ở mục Yêu cầu của tôi."),
    ),
    "request_word": (
        _("Yêu cầu về vai trò có thêm một ý kiến"),
        _("Đơn vị {unit} đã đồng ý. Yêu cầu đang chờ {then}. Bạn không cần làm gì thêm."),
    ),
    "review_started": (
        _("Có vai trò cần bạn xác nhận"),
        _(
            "Đợt rà soát vai trò tại {unit}: hãy xác nhận {count} vai trò trước hết ngày {day} ở mục Rà soát vai trò."
        ),
    ),
    "review_reminder": (
        _("Sắp hết hạn xác nhận vai trò"),
        _("Còn {count} vai trò tại {unit} chờ bạn xác nhận trước hết ngày {day} ở mục Rà soát vai trò."),
    ),
    "review_unconfirmed": (
        _("Quá hạn xác nhận vai trò"),
        _("{count} vai trò tại {unit} chưa được xác nhận đến hạn {day} và có thể kết thúc sau ngày {last}."),
    ),
    "review_last_call": (
        _("Vai trò chưa được xác nhận sắp kết thúc"),
        _(
            "Lần báo cuối: {count} vai trò tại {unit} chưa được xác nhận (hạn {day}) sẽ kết thúc sau ngày {last}."
        ),
    ),
    "role_unconfirmed": (
        _("Vai trò của bạn chưa được xác nhận"),
        _(
            "Vai trò của bạn tại {unit} chưa được xác nhận đến hạn {day} và có thể kết thúc sau ngày {last}."
            " Hãy liên hệ người được giao phê duyệt của đơn vị."
        ),
    ),
    "role_last_call": (
        _("Vai trò của bạn sắp kết thúc vì chưa được xác nhận"),
        _(
            "Lần báo cuối: vai trò của bạn tại {unit} chưa được xác nhận (hạn {day}) sẽ kết thúc sau ngày {last}."
            " Hãy liên hệ ngay người được giao phê duyệt của đơn vị."
        ),
    ),
    "role_changed": (
        _("Vai trò của bạn đã thay đổi"),
        _("Vai trò tại {unit}: {change}. Nếu thông tin chưa đúng, hãy chọn “Báo nhầm lẫn”."),
    ),
}

# a kind that says something else of one of its things, named by the detail `what`
SPECIAL = {
    ("recovery_done", "official_mail"): (
        _("Mật khẩu thư công vụ đã được đặt lại"),
        _("Hòm thư công vụ của bạn có mật khẩu mới. Nếu không phải bạn, hãy chọn “Không phải tôi”."),
    ),
    ("codes_locked", "password"): (
        _("Đăng nhập bằng mật khẩu tạm dừng vì nhập sai nhiều lần"),
        _(
            "Mật khẩu của tài khoản bị nhập sai quá số lần cho phép trong ngày nên tạm dừng. Bạn vẫn đăng nhập được"
            " bằng VNeID hoặc chứng thư số. Nếu không phải bạn, hãy chọn “Không phải tôi”."
        ),
    ),
    ("codes_locked", "sim_changed"): (
        _("Yêu cầu lấy lại mật khẩu bị từ chối vì SIM mới được thay"),
        _(
            "Có yêu cầu lấy lại mật khẩu bằng mã gửi đến số điện thoại của bạn, nhưng SIM của số ấy mới được thay nên"
            " không được chấp nhận. Bạn vẫn đăng nhập được bằng VNeID hoặc chứng thư số. Nếu không phải bạn, hãy chọn"
            " “Không phải tôi”."
        ),
    ),
    ("account_frozen", "no_reason"): (
        _("Tài khoản đã tạm khóa đăng nhập"),
        _(
            "Tài khoản đã được tạm khóa đăng nhập theo đề nghị qua đường dây nóng, mọi phiên đăng nhập đã kết thúc."
            " Bạn mở khóa bằng cách xác thực lại với VNeID (mức 2), hoặc gọi đường dây nóng."
        ),
    ),
    ("desk_helped", "notices"): (
        _("Cán bộ hỗ trợ đã cho gửi lại thông báo"),
        _(
            "Theo đề nghị gửi tới đầu mối hỗ trợ, những thông báo bạn chưa đọc đã được gửi lại tới điện thoại. Nếu bạn"
            " không đề nghị, hãy chọn “Không phải tôi”."
        ),
    ),
    ("account_thawed", "checked"): (
        _("Tài khoản đã được mở khóa đăng nhập"),
        _(
            "Người vận hành đã kiểm tra và mở lại đăng nhập cho tài khoản. Nếu bạn không đề nghị, hãy gọi ngay đường"
            " dây nóng. Lý do: {reason}"
        ),
    ),
    ("request_overdue", "nobody_above"): (
        _("Yêu cầu của bạn đã quá hạn quyết định"),
        _(
            "Yêu cầu về vai trò tại {unit} đã quá hạn: chưa được quyết định trước hết ngày {day}. Người được"
            " giao phê duyệt đã được nhắc; bạn không cần làm gì thêm."
        ),
    ),
    ("step_overdue", "nobody_above"): (
        _("Có yêu cầu quá hạn quyết định"),
        _(
            "Một yêu cầu về vai trò tại {unit} đã quá hạn từ hết ngày {day}. Xem mục Quá hạn của không gian làm việc."
        ),
    ),
}
